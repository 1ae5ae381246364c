import { join, resolve } from "node:path";
import { EXIT } from "../runtime/process.ts";
import { watchAncestors } from "./ancestors.ts";
import { readGiven } from "./given.ts";
import { AlreadyRunning, lockFolder } from "./lock.ts";
import { readableLine } from "./log-lines.ts";
import { BadOption, parseOptions, type StartOptions, telemetryVariables, USAGE } from "./options.ts";
import { createLocalSystem, type Programs } from "./system.ts";
import { type SourceWatch, watchSources } from "./watch.ts";
import { welcome } from "./welcome.ts";

export interface LocalRun {
  /** The arguments of `bun run start`. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The project's folder. */
  readonly root: string;
  /** Where data, logs and state files are kept, unless `--data` names another folder. */
  readonly directory: string;
  readonly programs: Programs;
}

const WRONG_USAGE = 2;

/** A part's last lines, in the form in which they were shown before. */
const readable = (lines: string): string =>
  lines
    .split("\n")
    .map((line) => `    ${readableLine(line)}`)
    .join("\n");

/** Starts the system, prints its addresses, waits for a reason to stop, and stops all of it. */
const runSystem = async (run: LocalRun, options: StartOptions): Promise<number> => {
  const stopping = new AbortController();
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
  let code: number = EXIT.stopped;
  // Ctrl-C comes twice under `bun run`, from the terminal and from Bun: only the first counts.
  const end = (why: string) => {
    stopping.abort();
    ask(why);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(signal));
  watchAncestors(() => end("the process that started this one ended"));

  const given = readGiven({ ...run.environment, ...telemetryVariables(options.otel) });
  const directory = options.data === undefined ? run.directory : resolve(options.data);
  const unlock = lockFolder(join(directory, "running.pid"));
  const system = createLocalSystem({
    ...options,
    root: run.root,
    directory,
    programs: run.programs,
    given,
    print: console.log,
    isColourful: process.stdout.isTTY === true && !given.environment["NO_COLOR"],
    signal: stopping.signal,
    onDeath: (part, how, lastLines) => {
      code = EXIT.failed;
      console.error(`${part} ended by itself: ${how}. Its last lines:\n${readable(lastLines)}`);
      end(`${part} ended`);
    },
  });
  let sources: SourceWatch | undefined;
  try {
    const startedAt = performance.now();
    const addresses = await system.start();
    console.log(`up in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    console.log(welcome(addresses, directory));
    if (options.watch) {
      sources = watchSources({ root: run.root, print: console.log, onChange: system.restart });
      console.log("  Watching the source: the part whose file is saved is restarted.\n");
    }
  } catch (error) {
    if (!stopping.signal.aborted) {
      code = EXIT.failed;
      console.error(error instanceof Error ? error.message : error);
      end("the start failed");
    }
  }
  console.log(`stopping (${await asked}); work in flight is finished first`);
  sources?.close();
  await system.stop();
  unlock();
  console.log("stopped");
  return code;
};

/** Runs the whole system on this machine until it is asked to stop. Prints its progress and returns the exit code. */
export const runLocal = async (run: LocalRun): Promise<number> => {
  try {
    const options = parseOptions(run.args);
    if (!options.help) return await runSystem(run, options);
    console.log(USAGE);
    return EXIT.stopped;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof BadOption) {
      console.error(`${error.message}\n\n${USAGE}`);
      return WRONG_USAGE;
    }
    if (error instanceof AlreadyRunning || error.name === "BadSettings") {
      console.error(error.message);
      return error.name === "BadSettings" ? EXIT.badSettings : EXIT.failed;
    }
    throw error;
  }
};
