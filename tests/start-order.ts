import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

/** Milliseconds of a file that has not run here, nor is known to be slow. */
const UNKNOWN_MS = 1_000;

type Timings = Readonly<Record<string, number>>;

const timingsFile = z.object({ version: z.literal(1), files: z.record(z.string(), z.number()) });

const readTimings = (path: string): Timings => {
  if (!existsSync(path)) return {};
  try {
    return timingsFile.parse(JSON.parse(readFileSync(path, "utf8"))).files;
  } catch {
    // A run that was killed has left a part of it.
    return {};
  }
};

/**
 * Completes what `bun test --timings` reads: each test file of the tree with the milliseconds that it took here last time, else
 * those that it is known for, else a second. Bun starts the slowest first, but those that are not in the file before them: the
 * slowest would run last, while the other processors have nothing to do.
 */
export const completeTimings = (root: string, path: string, known: Timings): void => {
  const measured = readTimings(path);
  const files = [...new Bun.Glob("**/*.test.{ts,tsx}").scanSync({ cwd: root })]
    .filter((file) => !file.includes("node_modules/"))
    .map((file) => [file, measured[file] ?? known[file] ?? UNKNOWN_MS] as const);
  writeFileSync(path, JSON.stringify({ version: 1, files: Object.fromEntries(files) }));
};
