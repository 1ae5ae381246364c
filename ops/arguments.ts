import { parseArgs } from "node:util";
import { type Arguments, type Command, JSON_OPTION, UsageError } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";

/** What a command line asks for. */
export type Request =
  | { readonly kind: "help"; readonly commands: readonly Command[] }
  | { readonly kind: "run"; readonly command: Command; readonly args: Arguments };

const HELP_OPTION = { type: "boolean", about: "this text" } as const;

/** Options of every command, beside its own. */
export const COMMON_OPTIONS = { json: JSON_OPTION, help: HELP_OPTION } as const;

const isHelp = (word: string | undefined): boolean => word === "help" || word === "--help" || word === "-h";

/** The command whose name the words begin with, and those that share its first word. */
const named = (words: readonly string[]): { command: Command | undefined; family: readonly Command[] } => {
  const [first = "", second = ""] = words;
  const command =
    COMMANDS.find(({ name }) => name === `${first} ${second}`) ?? COMMANDS.find(({ name }) => name === first);
  return { command, family: COMMANDS.filter(({ name }) => name === first || name.startsWith(`${first} `)) };
};

const unknownCommand = (words: readonly string[], family: readonly Command[]): UsageError => {
  if (family.length > 0) {
    return new UsageError(`${words[0]}: expected one of: ${family.map(({ name }) => name).join(", ")}`);
  }
  return new UsageError(words[0] === undefined ? "no command was given" : `there is no command ${words[0]}`);
};

const argumentsOf = (command: Command, rest: readonly string[]): Arguments & { readonly wantsHelp: boolean } => {
  const options = { ...command.options, ...COMMON_OPTIONS };
  const config = Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));
  const { values, positionals } = (() => {
    try {
      return parseArgs({
        args: [...rest],
        options: { ...config, help: { type: "boolean", short: "h" } },
        allowPositionals: true,
        strict: true,
      });
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  })();
  const given = new Map<string, unknown>(Object.entries(values));
  return {
    positionals,
    wantsHelp: given.get("help") === true,
    has: (option) => given.get(option) === true,
    text: (option) => {
      const value = given.get(option);
      return typeof value === "string" ? value : undefined;
    },
  };
};

/** The command that was meant, as well as can be told, to show its usage beside a fault. */
export const commandMeant = (words: readonly string[]): readonly Command[] => {
  const { command, family } = named(words);
  if (command !== undefined) return [command];
  return family.length > 0 ? family : COMMANDS;
};

/**
 * Reads a command line.
 *
 * @throws {UsageError} saying what is wrong with it
 */
export const readCommandLine = (words: readonly string[]): Request => {
  if (isHelp(words[0])) {
    const { command, family } = named(words.slice(1));
    if (words[1] === undefined) return { kind: "help", commands: COMMANDS };
    if (command === undefined && family.length === 0) throw unknownCommand(words.slice(1), family);
    return { kind: "help", commands: command === undefined ? family : [command] };
  }
  const { command, family } = named(words);
  if (command === undefined) {
    if (family.length > 0 && isHelp(words[1])) return { kind: "help", commands: family };
    throw unknownCommand(words, family);
  }
  const args = argumentsOf(command, words.slice(command.name.split(" ").length));
  if (args.wantsHelp) return { kind: "help", commands: [command] };
  const [least, most] = command.words;
  const count = args.positionals.length;
  if (count < least || count > most) {
    throw new UsageError(
      count < least
        ? `${command.name}: expected ${command.usage}`
        : `${command.name}: ${args.positionals.slice(most).join(" ")} is too much; expected ${command.usage}`,
    );
  }
  command.check?.(args);
  return { kind: "run", command, args };
};
