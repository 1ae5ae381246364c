import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Where a process keeps the longest turn of its event loop, in ms of its thread's CPU time. What others wait for while the process has its own
 * work to do is that; what they wait for while the machine gives it no CPU is not in it. Removing the file begins anew.
 */
export const longestTurnFile = (pid: number): string => join(tmpdir(), `longest-turn-${pid}`);

/** How a process is started so that it does. */
export const WATCHED = { BUN_OPTIONS: `--preload ${import.meta.path}` };

const LOOK_EVERY_MS = 5;
const WRITE_EVERY_MS = 250;

const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

const watch = (): void => {
  const file = longestTurnFile(process.pid);
  let last = cpuMs();
  let longest = 0;
  setInterval(() => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, LOOK_EVERY_MS).unref();
  setInterval(() => {
    if (!existsSync(file)) longest = 0;
    writeFileSync(file, longest.toFixed(0));
  }, WRITE_EVERY_MS).unref();
};

// In the process that was started with it, not in its workers, nor in the one that reads what it keeps.
if (Bun.isMainThread && process.env["BUN_OPTIONS"] === WATCHED.BUN_OPTIONS) watch();
