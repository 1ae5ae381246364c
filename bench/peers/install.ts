import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackDebianPackages } from "../../local/debian-packages.ts";

const LOCAL = join(import.meta.dir, "..", "..", ".local");
/** Debian's own: its packages are made for this one. */
export const PYTHON = "/usr/bin/python3";
const CELERY_PACKAGES = [
  ...["gunicorn", "uvicorn", "python3-argon2", "python3-celery", "python3-fastapi", "python3-passlib"],
  ...["python3-psycopg2", "python3-redis", "python3-sqlalchemy"],
];

/** Installs a peer's exact versions beside it, once. */
export const installBunPeer = (folder: string): void => {
  if (existsSync(join(folder, "node_modules"))) return;
  const command = [process.execPath, "install", "--frozen-lockfile", "--no-summary"];
  const { success, stderr } = Bun.spawnSync(command, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  if (!success) throw new Error(`its packages could not be installed: ${stderr.toString().trim()}`);
};

/** What a machine lacks of the packages, dependencies included; nothing is installed. */
const missingPackages = (): readonly string[] => {
  const command = ["apt-get", "--simulate", "-o", "Debug::NoLocking=1", "--no-install-recommends", "install"];
  const { stdout } = Bun.spawnSync([...command, ...CELERY_PACKAGES], { stdio: ["ignore", "pipe", "ignore"] });
  return [...stdout.toString().matchAll(/^Inst (\S+)/gm)].map(([, name = ""]) => name);
};

/** Unpacks Celery's stack from Debian's packages below .local/, once, without root; returns its folder. */
export const installCelery = (): string => {
  const folder = join(LOCAL, "celery");
  const mark = join(folder, "is-complete");
  if (existsSync(mark)) return folder;
  if (Bun.which("apt-get") === null || !existsSync(PYTHON)) throw new Error("it needs Debian's packages and Python");
  unpackDebianPackages(folder, missingPackages());
  const env = { ...process.env, PYTHONPATH: join(folder, "usr/lib/python3/dist-packages") };
  const names = "argon2, celery, fastapi, gunicorn, passlib, psycopg2, redis, sqlalchemy, uvicorn";
  const { success, stderr } = Bun.spawnSync([PYTHON, "-c", `import ${names}`], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (!success) throw new Error(`its packages could not be had: ${stderr.toString().trim().split("\n").at(-1)}`);
  writeFileSync(mark, "");
  return folder;
};
