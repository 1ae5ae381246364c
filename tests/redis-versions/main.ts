import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findRedis } from "../../local/redis-program.ts";
import { fetchWheels } from "./wheels.ts";

/**
 * `bun tests/redis-versions/main.ts [arguments of bun test]`: the part of the tests that depends on what Redis does, against each
 * server that is found: the one of this machine, those of Python's wheels if they can be fetched, and those that
 * `TEST_REDIS_SERVER` names, separated by colons. The exit code is 1 if one of them fails.
 */
const root = join(import.meta.dir, "..", "..");
const local = join(root, ".local");
const ENGINE = ["stream/", "consumers/engine/", "api/background/", "tests/housekeeping.test.ts"];

const versionOf = (program: string): string =>
  Bun.spawnSync([program, "--version"], { env: process.env }).stdout.toString().split(" sha=")[0]?.trim() ?? "";

/** Runs the tests with this server as the one that is found first. */
const testOn = (program: string, args: readonly string[]): boolean => {
  const folder = mkdtempSync(join(local, "redis-version-"));
  try {
    symlinkSync(program, join(folder, "redis-server"));
    const path = `${folder}${delimiter}${process.env["PATH"] ?? ""}`;
    return Bun.spawnSync([process.execPath, "tests/run.ts", ...args], {
      cwd: root,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "inherit", "inherit"],
    }).success;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const main = (): number => {
  mkdirSync(local, { recursive: true });
  const args = process.argv.slice(2);
  const named = (process.env["TEST_REDIS_SERVER"] ?? "").split(delimiter).filter((name) => name !== "");
  const own = findRedis(join(local, "redis"), console.log);
  // Its libraries may be in a folder of their own.
  Object.assign(process.env, own.env);
  const programs = [own.command, ...fetchWheels(join(local, "redis-versions"), console.log), ...named];
  const results = programs.map((program) => {
    const version = versionOf(program);
    console.log(`== ${version}`);
    const isGood = testOn(program, args.length > 0 ? args : ENGINE);
    return `${isGood ? "passed" : "FAILED"}: ${version}`;
  });
  console.log(`\n${results.join("\n")}`);
  return results.every((line) => line.startsWith("passed")) ? 0 : 1;
};

process.exit(main());
