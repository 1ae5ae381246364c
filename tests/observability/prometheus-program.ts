import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackDebianPackages } from "../../local/debian-packages.ts";

const DIRECTORY = join(import.meta.dir, "..", "..", ".local", "prometheus");

const find = (name: string): string | undefined => {
  const unpacked = join(DIRECTORY, "usr", "bin", name);
  return existsSync(unpacked) ? unpacked : (Bun.which(name) ?? undefined);
};

/**
 * Prometheus' own programs, from Debian's package if they are not on PATH: unpacked into `.local/`, nothing is installed.
 *
 * @throws if there is neither
 */
export const prometheusProgram = (name: "prometheus" | "promtool"): string => {
  const present = find(name);
  if (present !== undefined) return present;
  unpackDebianPackages(DIRECTORY, ["prometheus"]);
  const unpacked = find(name);
  if (unpacked === undefined) throw new Error(`${name} was not found and could not be fetched: install prometheus`);
  return unpacked;
};

/** For files that need not survive: each unit test creates a database and syncs it to disk. */
export const quickDirectory = (): string => (existsSync("/dev/shm") ? "/dev/shm" : tmpdir());

/** Runs promtool; its exit code and its output. */
export const promtool = (...args: readonly string[]): { readonly exitCode: number; readonly output: string } => {
  // It ends after seconds: to collect garbage less often is a fifth of its work.
  const env = { ...process.env, TMPDIR: quickDirectory(), GOGC: "400" };
  const { exitCode, stdout, stderr } = Bun.spawnSync([prometheusProgram("promtool"), ...args], { env });
  return { exitCode, output: `${stdout}${stderr}` };
};
