import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "./dockerfile.ts";

interface Rule {
  readonly glob: Bun.Glob;
  readonly isExcluding: boolean;
}

const rules = (): readonly Rule[] =>
  readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ glob: new Bun.Glob(line.replace(/^!/, "")), isExcluding: !line.startsWith("!") }));

/** Docker's way: the last rule that fits the path, or a folder above it, decides. */
const isIncluded = (path: string, all: readonly Rule[]): boolean => {
  const parts = path.split("/");
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  const last = all.findLast(({ glob }) => paths.some((one) => glob.match(one)));
  return last?.isExcluding !== true;
};

/** The files below a path of the project that `docker build` would be given. */
export const contextFiles = (path: string): readonly string[] => {
  const all = rules();
  const isFile = statSync(join(root, path)).isFile();
  const below = () => [...new Bun.Glob("**").scanSync({ cwd: join(root, path), dot: true, onlyFiles: true })];
  const files = isFile ? [path] : below().map((file) => `${path}/${file}`);
  return files.filter((file) => isIncluded(file, all)).sort();
};
