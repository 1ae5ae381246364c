import { copyFileSync, mkdirSync, readdirSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";

/** A file system of its own, in memory, that can be full. */
export interface SmallDisk extends Disposable {
  /** Nothing more can be written, but for some KiB. */
  fill(): void;
  free(): void;
}

const SIZE_KIB = 2_097_152;
const LEFT_KIB = 64;
/** Somebody writes meanwhile: what was just enough is too little then. */
const ATTEMPTS = 20;

const run = (...command: readonly string[]): boolean =>
  Bun.spawnSync([...command], { stdio: ["ignore", "ignore", "ignore"] }).success;

/**
 * Mounts one on a directory, of so many KiB while it is not full; in the end its logs are copied beside it. Undefined where that is not allowed: it
 * takes root, and Linux.
 */
export const mountSmallDisk = (directory: string, sizeKib = SIZE_KIB): SmallDisk | undefined => {
  mkdirSync(directory, { recursive: true });
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  if (!run("mount", "-t", "tmpfs", "-o", `size=${sizeKib}k`, "tmpfs", directory)) return undefined;
  const resize = (kib: number) => run("mount", "-o", `remount,size=${kib}k`, directory);
  return {
    fill() {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { blocks, bfree, bsize } = statfsSync(directory);
        if (resize(Math.ceil(((blocks - bfree) * bsize) / 1_024) + LEFT_KIB)) return;
      }
      throw new Error("the file system could not be made full");
    },
    free() {
      resize(sizeKib);
    },
    [Symbol.dispose]: () => {
      const logs = readdirSync(directory).filter((name) => name.endsWith(".log"));
      for (const name of logs) copyFileSync(join(directory, name), join(dirname(directory), name));
      run("umount", "--lazy", directory);
    },
  };
};
