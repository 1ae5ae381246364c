import { existsSync } from "node:fs";
import { join } from "node:path";
import { unpackDebianPackages } from "../../local/debian-packages.ts";

/**
 * Finds libfaketime, which fakes the wall clock of a single process; unpacks Debian's package to `directory` if needed.
 * Undefined where it is unavailable, or where Bun does not start under it.
 */
export const findClockLibrary = (directory: string): string | undefined => {
  if (process.platform !== "linux") return undefined;
  const library = () =>
    [...new Bun.Glob("usr/lib/*/faketime/libfaketime.so.1").scanSync({ cwd: directory })].map((path) =>
      join(directory, path),
    )[0];
  if (!existsSync(directory) && Bun.which("dpkg") !== null) unpackDebianPackages(directory, ["libfaketime"]);
  const found = existsSync(directory) ? library() : undefined;
  if (found === undefined) return undefined;
  const works = Bun.spawnSync([process.execPath, "-e", "process.exit(Date.now() < 1e11 ? 0 : 1)"], {
    env: { PATH: process.env["PATH"] ?? "", LD_PRELOAD: found, FAKETIME: "1970-06-01 00:00:00" },
    stdio: ["ignore", "ignore", "ignore"],
  });
  return works.success ? found : undefined;
};
