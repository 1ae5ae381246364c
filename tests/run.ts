import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { watchAncestors } from "../local/ancestors.ts";
import { provideChromium } from "./chromium.ts";
import { makeRunFolder } from "./run-folder.ts";
import { startTestServers } from "./servers.ts";
import SLOW_FILES from "./slow-files.json" with { type: "json" };
import { completeTimings } from "./start-order.ts";

/** Test files that run at the same time: more than a small machine has cores, because half of the time they wait. */
const PARALLEL = 4;
/** Long ones wait for nearly all of their time: for leases, failovers, and what is slow. */
const LONG_PARALLEL = 6;
/** Tests of one file at the same time, where the file says that they may be: they wait for most of their time, too. */
const CONCURRENT = 3;
/** Above that of `eventually`, which says what did not happen. */
const TEST_TIMEOUT_MS = 120_000;
const root = join(import.meta.dir, "..");
/** How long each file took here last time, in ms. */
const TIMINGS = join(root, ".local", "test-timings.json");

/** Failovers and outages: a command of their own, so that the tests of every day stay short. */
const LONG = "tests/long";

/** The files with a test that failed, by the report of a run in JUnit's format. */
const failedFiles = (report: string): readonly string[] => {
  const suites = report.matchAll(/<testsuite [^>]*?file="([^"]+)"[^>]*? failures="([0-9]+)"/g);
  return [...new Set([...suites].flatMap(([, file = "", failures]) => (failures === "0" ? [] : [file])))];
};

const exitCodeOf = (tests: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    tests.on("exit", (code) => resolve(code ?? 1));
    tests.on("error", () => resolve(1));
  });

/**
 * `bun tests/run.ts [arguments of bun test]`: starts one Postgres and one Redis for the whole run, on ports of their own,
 * and runs the tests against them: all but `tests/long/`, or what the arguments name. Each test makes its own database and its
 * own stream. The exit code is that of `bun test`; everything that was started is ended and removed in any case.
 *
 * `TEST_SECOND_LOOK=true`, for machines that nobody watches: files that failed beside others run once more, each alone. What
 * passes then is reported as unsteady, and does not fail the run.
 */
const main = async (): Promise<number> => {
  let tests: ChildProcess | undefined;
  let isAskedToStop = false;
  const stop = () => {
    isAskedToStop = true;
    tests?.kill("SIGTERM");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  watchAncestors(stop);

  const args = process.argv.slice(2);
  if (!provideChromium(args)) return 1;
  const starting = [startTestServers(), makeRunFolder()] as const;
  // Both: what has started is removed if the other failed.
  await Promise.allSettled(starting);
  await using servers = await starting[0];
  using folder = await starting[1];
  if (isAskedToStop) return 1;
  completeTimings(root, TIMINGS, SLOW_FILES);
  const run = (parallel: number, files: readonly string[], report: string): Promise<number> => {
    // `--no-orphans`: what a test started dies with it, and the tests die with us.
    const flags = ["--no-orphans", `--parallel=${parallel}`, "--timeout", String(TEST_TIMEOUT_MS)];
    flags.push(`--max-concurrency=${CONCURRENT}`);
    flags.push(`--timings=${TIMINGS}`, "--reporter=junit", `--reporter-outfile=${report}`);
    tests = spawn(process.execPath, ["test", ...flags, ...files], {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...servers.environment, ...folder.environment },
    });
    return exitCodeOf(tests);
  };
  const isLong = args.some((arg) => arg.includes(LONG));
  const report = join(folder.path, "report.xml");
  const code = await run(
    isLong ? LONG_PARALLEL : PARALLEL,
    [...(isLong ? [] : [`--path-ignore-patterns=${LONG}/**`]), "--update-timings", ...args],
    report,
  );
  if (code === 0 || isAskedToStop || process.env["TEST_SECOND_LOOK"] !== "true" || !existsSync(report)) return code;
  const failed = failedFiles(readFileSync(report, "utf8"));
  if (failed.length === 0) return code;
  console.log(`\n== once more, one after the other: ${failed.join(", ")}`);
  const codeAlone = await run(1, failed, join(folder.path, "report-alone.xml"));
  if (codeAlone === 0) console.log(`\n== UNSTEADY: failed beside others and passed alone: ${failed.join(", ")}`);
  return codeAlone;
};

process.exit(await main());
