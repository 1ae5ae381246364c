import { mkdirSync, statfsSync } from "node:fs";

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

/** Mounts one on a directory. Undefined where that is not allowed: it takes root, and Linux. */
export const mountSmallDisk = (directory: string): SmallDisk | undefined => {
  mkdirSync(directory, { recursive: true });
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  if (!run("mount", "-t", "tmpfs", "-o", `size=${SIZE_KIB}k`, "tmpfs", directory)) return undefined;
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
      resize(SIZE_KIB);
    },
    [Symbol.dispose]: () => void run("umount", "--lazy", directory),
  };
};
