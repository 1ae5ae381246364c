import { writeSync } from "node:fs";
import { EXIT } from "../runtime/process.ts";
import { runWords, usageFor } from "./app.ts";
import { type Surroundings, UsageError } from "./command.ts";
import { jsonDocument } from "./json.ts";
import { isUnread, screenOn } from "./terminal/screen.ts";
import { isColoured, printable, styleFor } from "./terminal/style.ts";

const EXIT_USAGE = 2;

/** Written at once and unchanged: `console.error` would colour it even with NO_COLOR. */
const sayPlainly = (text: string): void => {
  writeSync(process.stderr.fd, text);
};
const say = (message: string): void => sayPlainly(`${message}\n`);

/**
 * Written completely before the process exits, also to a pipe. Not by `Bun.write`: once `process.stdout` was looked at, it writes the first
 * 64 KiB of a longer text twice. Where nothing is written, Bun would empty the file.
 */
const print = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    if (text === "") return resolve();
    process.stdout.write(text, (error) => (error == null || isUnread(error) ? resolve() : reject(error)));
  });

const isJson = (words: readonly string[]): boolean => words.includes("--json");

const NOT_UP_TO_DATE = "the database is not up to date, or search_path does not lead to its tables: bun run ops doctor";

/** What to do about an error, by its SQLSTATE. */
const HINTS: Readonly<Record<string, string>> = {
  "42P01": NOT_UP_TO_DATE,
  "42703": NOT_UP_TO_DATE,
  "55P03":
    "another transaction has locked a row or table that this command changes, and this statement had no effect; it is the oldest of\n" +
    "select pid, application_name, xact_start, query from pg_stat_activity where xact_start is not null order by xact_start\n" +
    "wait for it, or end it by select pg_terminate_backend(pid), and run the command again",
};

const hintFor = (error: Error): string => {
  const hint = "code" in error ? HINTS[String(error.code)] : undefined;
  return hint === undefined ? "" : ` (${hint})`;
};

/** Says what went wrong, and gives the exit code. */
const explain = async (error: unknown, words: readonly string[]): Promise<number> => {
  const isError = error instanceof Error;
  const message = isError ? `${error.message}${hintFor(error)}` : String(error);
  const name = isError ? error.name : "Error";
  if (isJson(words)) await print(`${jsonDocument({ error: { name, message } })}\n`);
  say(message.split("\n").map(printable).join("\n"));
  if (error instanceof UsageError) {
    await usageFor(words, sayPlainly);
    return EXIT_USAGE;
  }
  return name === "BadSettings" || name === "LocalSystemStopped" ? EXIT.badSettings : EXIT.failed;
};

/** Runs a command line of the tree at `root`; resolves to the exit code. */
const runLine = async (words: readonly string[], root: string): Promise<number> => {
  const wantsJson = isJson(words);
  let exitCode: number = EXIT.stopped;
  let output = "";
  let faults = "";
  const depth = isColoured(process.stdout, process.env) ? 4 : 1;
  const surroundings: Surroundings = {
    process: {
      stdout: {
        write: (text) => {
          output += text;
        },
        getColorDepth: () => depth,
      },
      stderr: {
        write: (text) => {
          faults += text;
        },
      },
    },
    async conclude(produce) {
      try {
        const answer = await produce();
        const shown = wantsJson ? jsonDocument(answer.json) : answer.text(styleFor(process.stdout, process.env));
        output += answer.json === undefined ? "" : `${shown}\n`;
        exitCode = answer.failed === true ? EXIT.failed : EXIT.stopped;
      } catch (error) {
        exitCode = isUnread(error) ? EXIT.stopped : await explain(error, words);
      }
    },
    // Loaded when a command runs: the stores' clients are most of the time that a start takes.
    connected: async (requirements, work) => {
      const { withStores } = await import("./session.ts");
      const screen = screenOn(process.stdout, process.env, wantsJson);
      return withStores({ ...requirements, root, say, screen }, work);
    },
  };
  await runWords(words, surroundings);
  if (faults !== "") return explain(new UsageError(faults.trimEnd()), words);
  await print(output);
  return exitCode;
};

/** The same, whatever happens. */
export const runOps = (words: readonly string[], root: string): Promise<number> =>
  runLine(words, root).catch((error: unknown) => explain(error, words));
