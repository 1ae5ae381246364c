import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watchAncestors } from "../local/ancestors.ts";
import { provideChromium } from "./chromium.ts";
import { makeRunFolder } from "./run-folder.ts";
import { startTestServers } from "./servers.ts";

/** Test files that run at the same time: more than a small machine has cores, because half of the time they wait. */
const PARALLEL = 4;
const TEST_TIMEOUT_MS = 60_000;
const root = join(import.meta.dir, "..");
/** How long each file took here last time, in ms: the longest start first, so that none runs alone in the end. */
const TIMINGS = join(root, ".local", "test-timings.json");
/** For a machine that has run none yet. */
const FIRST_TIMINGS = {
  version: 1,
  files: {
    "tests/signup-page.test.ts": 30_000,
    "tests/telemetry.test.ts": 30_000,
    "tests/two-groups.test.ts": 25_000,
    "tests/silent-connections.test.ts": 25_000,
    "tests/stores-say-no.test.ts": 25_000,
    "local/start.test.ts": 25_000,
    "tests/kubernetes/from-settings.test.ts": 20_000,
    "tests/mail-faults.test.ts": 20_000,
    "tests/add-a-group.test.ts": 20_000,
    "tests/traces.test.ts": 20_000,
    "tests/second-group/failures.test.ts": 20_000,
    "tests/redis-faults.test.ts": 20_000,
    "tests/observability/proof.test.ts": 20_000,
    "local/main.test.ts": 15_000,
    "tests/journey.test.ts": 15_000,
    "tests/model.test.ts": 15_000,
    "tests/observability/alerts.test.ts": 15_000,
    "tests/readme.test.ts": 15_000,
  },
};

const exitCodeOf = (tests: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    tests.on("exit", (code) => resolve(code ?? 1));
    tests.on("error", () => resolve(1));
  });

/**
 * `bun tests/run.ts [arguments of bun test]`: starts one Postgres and one Redis for the whole run, on ports of their own,
 * and runs the tests against them. Each test makes its own database and its own stream. The exit code is that of
 * `bun test`; everything that was started is ended and removed in any case.
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
  // `--no-orphans`: what a test started dies with it, and the tests die with us.
  const flags = ["--no-orphans", `--parallel=${PARALLEL}`, "--timeout", String(TEST_TIMEOUT_MS)];
  if (!existsSync(TIMINGS)) writeFileSync(TIMINGS, JSON.stringify(FIRST_TIMINGS));
  flags.push(`--timings=${TIMINGS}`, "--update-timings");
  tests = spawn(process.execPath, ["test", ...flags, ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...servers.environment, ...folder.environment },
  });
  return await exitCodeOf(tests);
};

process.exit(await main());
