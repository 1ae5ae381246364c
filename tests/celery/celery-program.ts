import { existsSync } from "node:fs";
import { join } from "node:path";
import { unpackDebianPackages } from "../../local/debian-packages.ts";

const DIRECTORY = join(import.meta.dir, "..", "..", ".local", "celery");
const LIBRARIES = join(DIRECTORY, "usr", "lib", "python3", "dist-packages");
/** What a client and a worker import; nothing of it is compiled. */
const PACKAGES = [
  ...["celery", "kombu", "redis", "amqp", "vine", "billiard", "tz", "async-timeout", "pkg-resources", "deprecated"],
  ...["packaging", "click", "click-didyoumean", "click-plugins", "click-repl", "prompt-toolkit", "wcwidth"],
  // Newer releases ask for them, too.
  ...["wrapt", "dateutil", "six", "tzdata", "tzlocal", "typing-extensions"],
].map((name) => `python3-${name}`);

/** A Python that can import Celery. */
export interface CeleryProgram {
  readonly python: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Debian's own Python first: its packages are for that one. */
const PYTHONS = ["/usr/bin/python3", "python3"];

const programs = (): readonly CeleryProgram[] => {
  const env = { PATH: process.env["PATH"] ?? "", PYTHONDONTWRITEBYTECODE: "1" };
  return PYTHONS.flatMap((name) => {
    const python = Bun.which(name);
    return python === null ? [] : [env, { ...env, PYTHONPATH: LIBRARIES }].map((each) => ({ python, env: each }));
  });
};

const works = ({ python, env }: CeleryProgram): boolean =>
  Bun.spawnSync([python, "-c", "import celery.bin.celery, kombu, redis"], {
    env: { ...env },
    stdio: ["ignore", "ignore", "ignore"],
  }).success;

/** Celery as it is installed, or from Debian's packages: unpacked into `.local/`, nothing is installed. Undefined: there is none. */
export const findCelery = (): CeleryProgram | undefined => {
  const found = programs().find(works);
  if (found !== undefined || existsSync(LIBRARIES)) return found;
  if (Bun.which("apt-get") === null || Bun.which("dpkg") === null) return undefined;
  unpackDebianPackages(DIRECTORY, PACKAGES);
  return programs().find(works);
};
