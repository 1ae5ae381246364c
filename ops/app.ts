import { type Application, buildApplication, run, type StricliIntegration, text_en, version } from "@stricli/core";
import { VERSION } from "../observability/version.ts";
import { PROGRAM, type Surroundings } from "./command.ts";
import { jsonDocument } from "./json.ts";
import { commandsOf, isGroup, routeOf } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { printable } from "./terminal/style.ts";

const FORMATTING = {
  useAliasInUsageLine: false,
  onlyRequiredInUsageLine: false,
  caseStyle: "convert-camel-to-kebab",
} as const;

const usageOf = (name: readonly string[], formatUsageLine: (typeof ROUTES)["formatUsageLine"]): string =>
  formatUsageLine({ prefix: [PROGRAM, ...name], config: FORMATTING, ansiColor: false });

/** `--help`; with `--json` the commands as data. */
const help: StricliIntegration<Surroundings> = {
  flag: {
    brief: "Show this text",
    aliases: ["h"],
    global: true,
    complete: true,
    run(_app, { text, ansiColorByStream, result: { target, prefix, unprocessedInputs }, additionalFlags }) {
      const commands = commandsOf(target, prefix.slice(1)).map(({ name, command }) => ({
        name: name.join(" "),
        summary: command.brief,
        usage: usageOf(name, command.formatUsageLine),
      }));
      this.process.stdout.write(
        unprocessedInputs.includes("--json")
          ? `${jsonDocument({ commands })}\n`
          : target.formatHelp({
              prefix,
              additionalFlags,
              text,
              config: FORMATTING,
              ansiColor: ansiColorByStream.stdout,
              includeArgumentEscapeSequenceFlag: true,
              includeHidden: false,
            }),
      );
    },
  },
};

/** What runs when no command is given. Hidden, since nobody types it: the library runs a default as it runs a flag. */
const withoutCommand: StricliIntegration<Surroundings> = {
  flag: {
    brief: "Report that no command was given",
    hidden: true,
    defaultForRouteMap: true,
    run(_app, { result: { target, prefix } }) {
      const group = prefix.slice(1);
      const names = commandsOf(target, group).map(({ name }) => name.join(" "));
      this.process.stderr.write(
        group.length === 0 ? "no command was given" : `${group.join(" ")}: expected one of: ${names.join(", ")}`,
      );
    },
  },
};

const APP: Application<Surroundings> = buildApplication(
  ROUTES,
  {
    name: PROGRAM,
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input, corrections }) =>
          printable(
            `there is no command ${input}${corrections.length === 0 ? "" : `; did you mean ${corrections.join(" or ")}?`}`,
          ),
        exceptionWhileParsingArguments(error, ansiColor) {
          return printable(text_en.exceptionWhileParsingArguments.call(this, error, ansiColor));
        },
        formatException: (error) => (error instanceof Error ? error.message : String(error)),
      },
    },
  },
  {
    help,
    version: version({ brief: "Show the version", alias: false, complete: true, info: { currentVersion: VERSION } }),
    withoutCommand,
  },
);

/** `help dead retry` and `dead help` mean `--help`. */
const withHelpFlag = (words: readonly string[]): readonly string[] => {
  const { route, name } = routeOf(ROUTES, words);
  if (!isGroup(route) || words[name.length] !== "help") return words;
  const rest = [...name, ...words.slice(name.length + 1)];
  const isFlag = (word: string) => word.startsWith("-");
  return [...rest.filter((word) => !isFlag(word)), "--help", ...rest.filter(isFlag)];
};

/**
 * Runs a command line. Faults of the line itself go to the standard error of the surroundings, as plain text; everything
 * else is theirs.
 */
export const runWords = (words: readonly string[], surroundings: Surroundings): Promise<void> =>
  run(APP, withHelpFlag(words), surroundings);

/** The usage of the command that the words begin with, or the help of the group of commands. */
export const usageFor = async (words: readonly string[], write: (text: string) => void): Promise<void> => {
  const { route, name } = routeOf(ROUTES, words);
  if (isGroup(route)) {
    const output = { write };
    const unused = () => Promise.reject(new Error("help runs no command"));
    await run(APP, [...name, "--help"], {
      process: { stdout: output, stderr: output },
      conclude: unused,
      connected: unused,
    });
    return;
  }
  write(`usage: ${usageOf(name, route.formatUsageLine)}\n${[PROGRAM, ...name].join(" ")} --help explains it\n`);
};
