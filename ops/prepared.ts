import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the program is made of. */
const FOLDERS = ["consumers/email", "database", "observability", "ops", "runtime", "settings", "stream"];
const FILES = ["bun.lock", "package.json"];

/** Where prepared programs are: beside the data of the local system, which is no part of the tree either. */
const folderIn = (root: string): string => join(root, ".local", "ops");

const isSource = (name: string): boolean => /\.(tsx?|lua)$/.test(name) && !/\.test\.tsx?$/.test(name);

/** Changes with any source, with a package, and with Bun, whose bytecode is its own. */
const versionOf = (root: string): string => {
  const ofFolder = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter(isSource)
      .map((name) => join(folder, name));
  let hash = Bun.hash.wyhash(Bun.version_with_sha);
  for (const file of [...FILES, ...FOLDERS.flatMap(ofFolder).toSorted()]) {
    hash = Bun.hash.wyhash(readFileSync(join(root, file)), Bun.hash.wyhash(file, hash));
  }
  return hash.toString(36);
};

/** The folder of the program as it is prepared from the sources of this moment, and the folder of all of them. */
export const placesOf = (root: string): { readonly all: string; readonly own: string } => {
  const all = folderIn(root);
  return { all, own: join(all, versionOf(root)) };
};

/** Where it is being built; there as long as somebody does. */
export const buildingFor = (own: string): string => `${own}.building`;

/** `program.ts` with all that it imports, as one file of bytecode; it need not be there. */
export const preparedProgram = (root: string): string => join(placesOf(root).own, "program.js");

/** Prepares the program in the background, where a local system has been run: elsewhere nobody wants files in the tree. */
export const prepareSoon = (root: string): void => {
  if (!existsSync(join(root, ".local")) || existsSync(buildingFor(placesOf(root).own))) return;
  Bun.spawn([process.execPath, join(root, "ops", "prepare.ts")], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore"],
  }).unref();
};
