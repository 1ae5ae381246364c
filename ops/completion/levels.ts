import type { CommandContext } from "@stricli/core";
import type { Surroundings } from "../command.ts";
import { isGroup, type Route } from "../route.ts";

/** A word that can be completed, and what it means. */
interface Candidate {
  readonly name: string;
  readonly brief: string;
}

interface FlagCandidate extends Candidate {
  /** Values that can follow it: none known, or some; undefined if it takes no value. */
  readonly values: readonly string[] | undefined;
}

/** What can follow a command, or a group of commands. */
export interface Level {
  /** The words that lead here: `dead list`; empty at the beginning. */
  readonly route: string;
  readonly commands: readonly Candidate[];
  readonly flags: readonly FlagCandidate[];
  /** Known values of the first argument. */
  readonly values: readonly string[];
}

const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

interface Proposing {
  readonly proposeCompletions?: (
    this: CommandContext,
    partial: string,
  ) => readonly string[] | Promise<readonly string[]>;
}

const proposed = async (parameter: Proposing | undefined, context: CommandContext): Promise<readonly string[]> =>
  (await parameter?.proposeCompletions?.call(context, "")) ?? [];

const HELP: FlagCandidate = { name: "--help", brief: "Show this text", values: undefined };
const VERSION: FlagCandidate = { name: "--version", brief: "Show the version", values: undefined };

/** The route and everything below it, outermost first. */
export const levelsOf = async (
  target: Route,
  context: Surroundings,
  words: readonly string[] = [],
): Promise<readonly Level[]> => {
  const route = words.join(" ");
  if (isGroup(target)) {
    const entries = target.getAllEntries().map((entry) => ({ name: entry.name.original, target: entry.target }));
    const commands = entries.map((entry) => ({ name: entry.name, brief: entry.target.brief }));
    const flags = words.length === 0 ? [HELP, VERSION] : [HELP];
    const below = await Promise.all(entries.map((entry) => levelsOf(entry.target, context, [...words, entry.name])));
    return [{ route, commands, flags, values: [] }, ...below.flat()];
  }
  const { flags = {}, positional } = target.parameters;
  const own = Object.entries(flags).map(async ([name, flag]): Promise<FlagCandidate> => {
    const values =
      flag.kind === "parsed" ? await proposed(flag, context) : flag.kind === "enum" ? flag.values : undefined;
    return { name: `--${kebabCase(name)}`, brief: flag.brief, values };
  });
  const first = positional?.kind === "tuple" ? positional.parameters[0] : positional?.parameter;
  return [{ route, commands: [], flags: [...(await Promise.all(own)), HELP], values: await proposed(first, context) }];
};

/** `route:--flag` for each flag that expects a value, with the values that are known. */
export const valuesByFlag = (
  levels: readonly Level[],
): readonly { readonly key: string; readonly values: readonly string[] }[] =>
  levels.flatMap(({ route, flags }) =>
    flags.flatMap(({ name, values }) => (values === undefined ? [] : [{ key: `${route}:${name}`, values }])),
  );

/** `route word` for each word that leads to a further level: how a script finds the route of the words so far. */
export const stepsOf = (levels: readonly Level[]): readonly string[] =>
  levels.flatMap(({ route, commands }) => commands.map(({ name }) => `${route} ${name}`));
