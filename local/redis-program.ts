import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { unpackDebianPackages } from "./debian-packages.ts";

/** How Redis is run on this machine. */
export interface RedisProgram {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

const MIN_MAJOR = 7;

const run = (command: readonly string[]): boolean =>
  Bun.spawnSync([...command], { stdio: ["ignore", "pipe", "pipe"] }).success;

const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** "Redis server v=7.0.15 sha=..." and "Valkey server v=8.1.1 ..." alike; undefined if it does not run. */
const versionOf = (program: RedisProgram): string | undefined => {
  const shown = Bun.spawnSync([program.command, "--version"], {
    env: { ...program.env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return /v=(\d+\.\d+)/.exec(shown.stdout.toString())?.[1];
};

const isRecent = (program: RedisProgram): boolean => Number.parseInt(versionOf(program) ?? "0", 10) >= MIN_MAJOR;

const allOnPath = (): RedisProgram[] =>
  ["redis-server", "valkey-server"].flatMap((name) => {
    const command = Bun.which(name);
    return command === null ? [] : [{ command, env: ownEnvironment() }];
  });

const onPath = (): RedisProgram | undefined => allOnPath().find(isRecent);

const unpackedIn = (directory: string): RedisProgram | undefined => {
  const command = join(directory, "usr", "bin", "redis-server");
  const libraries = join(directory, "usr", "lib");
  if (!existsSync(command)) return undefined;
  const folders = [libraries, ...readdirSync(libraries).map((name) => join(libraries, name))];
  return { command, env: { ...ownEnvironment(), LD_LIBRARY_PATH: folders.join(":") } };
};

const DEBIAN_PACKAGES = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"];
/** Libraries that slim images lack. libssl3 has two names: Debian 13 and Ubuntu 24.04 renamed it. */
const DEBIAN_LIBRARIES = ["libatomic1", "libssl3", "libssl3t64", "libsystemd0"];

const unpackFromDebian = (directory: string, say: (line: string) => void): RedisProgram | undefined => {
  if (Bun.which("apt-get") === null || Bun.which("dpkg") === null) return undefined;
  say("fetching Redis from the system's package archive into .local/ (nothing is installed)");
  unpackDebianPackages(directory, DEBIAN_PACKAGES);
  const program = unpackedIn(directory);
  if (program === undefined || versionOf(program) !== undefined) return program;
  unpackDebianPackages(directory, DEBIAN_LIBRARIES);
  return unpackedIn(directory);
};

/** Package managers of other systems. None of them starts the service of a package that it installs. */
const MANAGERS: readonly { readonly name: string; readonly install: readonly string[]; readonly asRoot: boolean }[] = [
  { name: "brew", install: ["brew", "install", "redis"], asRoot: false },
  { name: "apk", install: ["apk", "add", "--no-cache"], asRoot: true },
  { name: "dnf", install: ["dnf", "-y", "--setopt=install_weak_deps=False", "install"], asRoot: true },
].flatMap((manager) =>
  manager.asRoot
    ? // Which of the two is available, and in which version, depends on the system's release.
      ["valkey", "redis"].map((name) => ({ ...manager, install: [...manager.install, name] }))
    : [manager],
);

const withoutPassword = (install: readonly string[], asRoot: boolean): readonly string[] | undefined => {
  if (!asRoot || process.getuid?.() === 0) return install;
  return Bun.which("sudo") !== null && run(["sudo", "-n", "true"]) ? ["sudo", "-n", ...install] : undefined;
};

const installElsewhere = (say: (line: string) => void): RedisProgram | undefined => {
  for (const { name, install, asRoot } of MANAGERS) {
    const command = Bun.which(name) === null ? undefined : withoutPassword(install, asRoot);
    if (command === undefined) continue;
    say(`installing Redis: ${command.join(" ")} (no service is started)`);
    const found = run(command) ? onPath() : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What was found, and the command to run. */
const advice = (found: readonly (RedisProgram | undefined)[]): string => {
  const versions = found.flatMap((program) => (program === undefined ? [] : [versionOf(program) ?? "unusable"]));
  if (versions.length > 0) {
    return `Redis ${MIN_MAJOR}.0 or later is required, but only ${versions.join(", ")} was found. Set REDIS_URL to a newer server.`;
  }
  const manager = MANAGERS.find(({ name }) => Bun.which(name) !== null);
  const install = manager === undefined ? ["apt-get", "install", "redis-server"] : manager.install;
  const asRoot = manager?.asRoot === false || process.getuid?.() === 0 ? [] : ["sudo"];
  return `Redis ${MIN_MAJOR}.0 or later was not found and could not be fetched. Run: ${[...asRoot, ...install].join(" ")}. Or set REDIS_URL to a running server.`;
};

/**
 * Finds a Redis or Valkey server: on PATH, else unpacked below `directory` from Debian's packages, else installed by the
 * system's package manager if that needs no password.
 *
 * @throws an error with the exact command to run
 */
export const findRedis = (directory: string, say: (line: string) => void): RedisProgram => {
  const earlier = unpackedIn(directory);
  const ready = onPath() ?? (earlier !== undefined && isRecent(earlier) ? earlier : undefined);
  if (ready !== undefined) return ready;
  const unpacked = unpackFromDebian(directory, say);
  if (unpacked !== undefined && isRecent(unpacked)) return unpacked;
  const installed = installElsewhere(say);
  if (installed !== undefined) return installed;
  throw new Error(advice([...allOnPath(), unpacked]));
};
