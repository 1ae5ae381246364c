import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const run = (command: readonly string[], cwd: string): boolean =>
  Bun.spawnSync([...command], { cwd, stdio: ["ignore", "ignore", "ignore"] }).success;

/** `apt-get` with its lists below `directory`, so that nothing else on the machine changes and no root is needed. */
const withOwnLists = (directory: string): string[] => {
  const lists = join(directory, "lists");
  const cache = join(directory, "cache");
  mkdirSync(join(lists, "partial"), { recursive: true });
  mkdirSync(join(cache, "archives", "partial"), { recursive: true });
  const given = [`Dir::State::lists=${lists}`, `Dir::Cache=${cache}`, "Debug::NoLocking=1"];
  // As root, apt fetches as a user who may have no access to this folder.
  if (process.getuid?.() === 0) given.push("APT::Sandbox::User=root");
  return given.flatMap((each) => ["-o", each]);
};

/**
 * Fetches packages of Debian and its derivatives with `apt-get download`, and unpacks them below `directory`: nothing is
 * installed, no service is enabled, no password is asked for. Names that the archive does not have are skipped.
 *
 * The machine's package lists are used if it has them; else they are fetched into a temporary folder.
 */
export const unpackDebianPackages = (directory: string, packages: readonly string[]): void => {
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(directory, "fetched-"));
  const archives = join(work, "archives");
  mkdirSync(archives, { recursive: true });
  const download = (options: readonly string[], ...names: readonly string[]) =>
    run(["apt-get", ...options, "-qq", "download", ...names], archives);
  // One call is quicker, but fails as a whole on one unknown name.
  const missingOf = (options: readonly string[]) =>
    download(options, ...packages) ? [] : packages.filter((name) => !download(options, name));

  const missing = missingOf([]);
  if (missing.length === packages.length) {
    const options = withOwnLists(work);
    run(["apt-get", ...options, "-qq", "update"], archives);
    missingOf(options);
  }
  for (const file of readdirSync(archives)) run(["dpkg", "-x", join(archives, file), directory], archives);
  rmSync(work, { recursive: true, force: true });
};
