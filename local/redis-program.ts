import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** How to run Redis here. */
export interface RedisProgram {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

const MIN_MAJOR = 7;
/** What redis-server of Debian and its kin needs, beside what every system of theirs has. */
const DEBIAN_PACKAGES = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1"];

const run = (command: readonly string[], cwd?: string) =>
  Bun.spawnSync([...command], { stdio: ["ignore", "pipe", "pipe"], ...(cwd === undefined ? {} : { cwd }) });

const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));

const isRecent = (program: RedisProgram): boolean => {
  const shown = Bun.spawnSync([program.command, "--version"], {
    env: { ...program.env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return Number(/v=(\d+)\./.exec(shown.stdout.toString())?.[1] ?? 0) >= MIN_MAJOR;
};

const onPath = (): RedisProgram | undefined => {
  for (const name of ["redis-server", "valkey-server"]) {
    const command = Bun.which(name);
    if (command === null) continue;
    const program = { command, env: ownEnvironment() };
    if (isRecent(program)) return program;
  }
  return undefined;
};

const unpackedIn = (directory: string): RedisProgram | undefined => {
  const command = join(directory, "usr", "bin", "redis-server");
  const libraries = join(directory, "usr", "lib");
  if (!existsSync(command)) return undefined;
  const folders = [libraries, ...readdirSync(libraries).map((name) => join(libraries, name))];
  const program = { command, env: { ...ownEnvironment(), LD_LIBRARY_PATH: folders.join(":") } };
  return isRecent(program) ? program : undefined;
};

/** `apt-get` with lists of its own below `directory`, so that nothing on the machine changes and no root is needed. */
const privateLists = (directory: string): string[] => {
  const lists = join(directory, "lists");
  mkdirSync(join(lists, "partial"), { recursive: true });
  mkdirSync(join(directory, "cache", "archives", "partial"), { recursive: true });
  return [
    "-o",
    `Dir::State::lists=${lists}`,
    "-o",
    `Dir::Cache=${join(directory, "cache")}`,
    "-o",
    "Debug::NoLocking=1",
  ];
};

/** Downloads Debian's packages and unpacks them; nothing is installed. */
const unpackFromDebian = (directory: string, say: (line: string) => void): RedisProgram | undefined => {
  if (Bun.which("apt-get") === null || Bun.which("dpkg") === null) return undefined;
  say("fetching Redis from the system's package archive into .local/ (nothing is installed)");
  rmSync(directory, { recursive: true, force: true });
  const packages = join(directory, "packages");
  mkdirSync(packages, { recursive: true });
  const download = (options: readonly string[], name: string) =>
    run(["apt-get", ...options, "-qq", "download", name], packages).exitCode === 0;
  let options: string[] = [];
  if (!DEBIAN_PACKAGES.slice(0, 1).every((name) => download(options, name))) {
    options = privateLists(directory);
    run(["apt-get", ...options, "-qq", "update"], packages);
  }
  for (const name of DEBIAN_PACKAGES) download(options, name);
  for (const file of readdirSync(packages)) run(["dpkg", "-x", join(packages, file), directory]);
  rmSync(packages, { recursive: true, force: true });
  return unpackedIn(directory);
};

/** Package managers elsewhere. Each keeps the service that it would start from starting. */
const MANAGERS: readonly { readonly name: string; readonly install: readonly string[]; readonly asRoot: boolean }[] = [
  { name: "brew", install: ["brew", "install", "redis"], asRoot: false },
  { name: "apk", install: ["apk", "add", "--no-cache", "redis"], asRoot: true },
  { name: "dnf", install: ["dnf", "-y", "--setopt=install_weak_deps=False", "install", "redis"], asRoot: true },
];

const withoutPassword = (install: readonly string[], asRoot: boolean): readonly string[] | undefined => {
  if (!asRoot || process.getuid?.() === 0) return install;
  return Bun.which("sudo") !== null && run(["sudo", "-n", "true"]).exitCode === 0
    ? ["sudo", "-n", ...install]
    : undefined;
};

const installElsewhere = (say: (line: string) => void): RedisProgram | undefined => {
  for (const { name, install, asRoot } of MANAGERS) {
    const command = Bun.which(name) === null ? undefined : withoutPassword(install, asRoot);
    if (command === undefined) continue;
    say(`installing Redis: ${command.join(" ")} (no service is started)`);
    if (run(command).exitCode === 0) return onPath();
  }
  return undefined;
};

const advice = (): string => {
  const manager = MANAGERS.find(({ name }) => Bun.which(name) !== null);
  const command = manager === undefined ? "apt-get install redis-server" : manager.install.join(" ");
  return `Redis ${MIN_MAJOR} or later was not found and could not be fetched. Install it (${command}), or set REDIS_URL to one that runs.`;
};

/**
 * Finds a Redis or Valkey server: on PATH, else unpacked below `directory` from Debian's packages, else by the system's
 * package manager if that asks for no password.
 *
 * @throws an error with the exact command to run
 */
export const findRedis = (directory: string, say: (line: string) => void): RedisProgram => {
  const found = onPath() ?? unpackedIn(directory) ?? unpackFromDebian(directory, say) ?? installElsewhere(say);
  if (found === undefined) throw new Error(advice());
  return found;
};
