import { readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";

const transpilers = { ".ts": new Bun.Transpiler({ loader: "ts" }), ".tsx": new Bun.Transpiler({ loader: "tsx" }) };
const isCode = (path: string): path is `${string}.ts` | `${string}.tsx` => extname(path) in transpilers;

/** A worker's script is named by address: `new URL("./password-worker.ts", import.meta.url)`. */
const SCRIPT_ADDRESS = /new URL\("(\.{1,2}\/[^"]+)", import\.meta\.url\)/g;

/** The files that a module loads, by their paths in the tree; imports of types alone load nothing. */
const loadedBy = (path: string, text: string): string[] => {
  const transpiler = extname(path) === ".tsx" ? transpilers[".tsx"] : transpilers[".ts"];
  const imported = transpiler.scanImports(text).map((found) => found.path);
  const addressed = [...text.matchAll(SCRIPT_ADDRESS)].map(([, address = ""]) => address);
  return [...imported, ...addressed]
    .filter((found) => found.startsWith("."))
    .map((found) => normalize(join(dirname(path), found)));
};

const textOf = (root: string, path: string): string | undefined => {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
};

/** The first mistake that keeps a file from being read as code, with its line; undefined when there is none. */
export const syntaxErrorOf = (root: string, path: string): string | undefined => {
  const text = textOf(root, path);
  if (text === undefined || !isCode(path)) return undefined;
  try {
    loadedBy(path, text);
    return undefined;
  } catch (error) {
    const first = error instanceof AggregateError ? error.errors[0] : error;
    if (first instanceof BuildMessage) return `line ${first.position?.line ?? "unknown"}: ${first.message}`;
    return String(first);
  }
};

const loadedIfParsed = (path: string, text: string): string[] => {
  try {
    return loadedBy(path, text);
  } catch {
    return [];
  }
};

/**
 * All files of the tree that a program loads, itself among them: code, scripts of workers, texts and JSON. Paths are
 * relative to `root`. A file that is missing or faulty leads no further.
 */
export const filesOf = (root: string, program: string): ReadonlySet<string> => {
  const reached = new Set<string>([program]);
  // A set may grow while it is walked.
  for (const path of reached) {
    const text = isCode(path) ? textOf(root, path) : undefined;
    for (const loaded of text === undefined ? [] : loadedIfParsed(path, text)) reached.add(loaded);
  }
  return reached;
};
