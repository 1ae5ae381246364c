import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A program that can be prepared: one file of it and all that it imports. */
export interface Program {
  /** The folder of its `program.ts`. */
  readonly name: "api" | "consumers" | "ops";
  /** What it is made of. */
  readonly folders: readonly string[];
  /** Bytecode starts sooner and takes more memory: for what does not run long. */
  readonly bytecode: boolean;
}

const SHARED = ["database", "observability", "runtime", "settings", "stream"] as const;

export const PROGRAMS = {
  ops: { name: "ops", folders: ["consumers/email", "ops", ...SHARED], bytecode: true },
  api: { name: "api", folders: ["api", "consumers/email", "ops", ...SHARED], bytecode: false },
  consumers: { name: "consumers", folders: ["consumers", ...SHARED], bytecode: false },
} as const satisfies Readonly<Record<string, Program>>;

const FILES = ["bun.lock", "package.json"];

/** Where prepared programs are: beside the data of the local system, which is no part of the tree either. */
const folderIn = (root: string, { name }: Program): string =>
  join(root, ".local", name === "ops" ? name : `program-${name}`);

/** Whether a program may be made of a file. */
export const isSource = (name: string): boolean => /\.(tsx?|js|lua)$/.test(name) && !/\.test\.tsx?$/.test(name);

/** Changes with any source, with a package, with Bun, whose bytecode is its own, and with the tree's place, which stands in the file. */
const versionOf = (root: string, { folders }: Program): string => {
  const ofFolder = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter(isSource)
      .map((name) => join(folder, name));
  let hash = Bun.hash.wyhash(root, Bun.hash.wyhash(Bun.version_with_sha));
  for (const file of [...FILES, ...folders.flatMap(ofFolder).toSorted()]) {
    hash = Bun.hash.wyhash(readFileSync(join(root, file)), Bun.hash.wyhash(file, hash));
  }
  return hash.toString(36);
};

/** The folder of the program as it is prepared from the sources of this moment, and the folder of all of them. */
export const placesOf = (root: string, program: Program): { readonly all: string; readonly own: string } => {
  const all = folderIn(root, program);
  return { all, own: join(all, versionOf(root, program)) };
};

/** Where it is being built; there as long as somebody does. */
export const buildingFor = (own: string): string => `${own}.building`;

/** `program.ts` with all that it imports, as one file; undefined if there is none of these sources. */
export const preparedProgram = (root: string, program: Program): string | undefined => {
  // Most trees have none, and need not be read for that.
  if (!existsSync(folderIn(root, program))) return undefined;
  const file = join(placesOf(root, program).own, "program.js");
  return existsSync(file) ? file : undefined;
};

/** Prepares `ops` in the background, where a local system has been run: elsewhere nobody wants files in the tree. */
export const prepareSoon = (root: string): void => {
  if (!existsSync(join(root, ".local")) || existsSync(buildingFor(placesOf(root, PROGRAMS.ops).own))) return;
  Bun.spawn([process.execPath, join(root, "ops", "prepare.ts")], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore"],
  }).unref();
};
