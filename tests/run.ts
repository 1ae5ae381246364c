import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../local/ports.ts";
import { startPostgres } from "../local/postgres.ts";
import { startRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";

/** Test files that run at the same time. */
const PARALLEL = 2;
const TEST_TIMEOUT_MS = 30_000;

const root = join(import.meta.dir, "..");
const local = join(root, ".local");

/**
 * `bun tests/run.ts [arguments of bun test]`: starts one Postgres and one Redis for the whole run, on ports of their own,
 * and runs the tests against them. Each test makes its own database and its own stream.
 */
const main = async (): Promise<number> => {
  mkdirSync(local, { recursive: true });
  const directory = mkdtempSync(join(local, "test-"));
  const program = findRedis(join(local, "redis"), console.log);
  const [postgres, redis] = await Promise.all([
    startPostgres({
      dataDirectory: join(directory, "postgres"),
      port: await freePort(),
      durable: false,
      settings: ["max_connections=300"],
    }),
    startRedis({ program, dataDirectory: join(directory, "redis"), port: await freePort(), durable: false }),
  ]);
  const tests = spawn(
    process.execPath,
    ["test", "--no-orphans", `--parallel=${PARALLEL}`, "--timeout", String(TEST_TIMEOUT_MS), ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url },
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => tests.kill("SIGTERM"));
  const code = await new Promise<number>((resolve) => {
    tests.on("exit", (exitCode) => resolve(exitCode ?? 1));
    tests.on("error", () => resolve(1));
  });
  await Promise.all([postgres.stop(), redis.stop()]);
  rmSync(directory, { recursive: true, force: true });
  return code;
};

process.exit(await main());
