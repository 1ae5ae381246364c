import { basename } from "node:path";
import { procStat } from "./proc-stat.ts";

interface Lineage {
  readonly name: string;
  readonly parent: number;
  readonly group: number;
}

/** Name, parent and process group of a process (fields 2, 4 and 5 of /proc/<pid>/stat, proc(5)). */
const lineage = (pid: number): Lineage | undefined => {
  const stat = procStat(pid);
  return stat && { name: stat.name, parent: stat.field(4), group: stat.field(5) };
};

interface Link {
  readonly pid: number;
  readonly parent: number;
}

/** Programs that run a script of package.json: `bun run`, `npx` (whose process is named "npm exec ...") and others. */
const STARTER = /^(bun|bunx|bun\.exe|node|npm|npx|pnpm|yarn)\b/;

/**
 * The chain from this process up to the outermost starter in its process group: `npx`, its shell, `bun run`, this process.
 * What is above it, a person's shell or a build step, may end and leave the system in the background on purpose.
 */
const chainOfStarters = (): readonly Link[] => {
  const own = lineage(process.pid);
  const chain: Link[] = [];
  let length = 0;
  let below = own;
  for (let pid = process.pid; below !== undefined && pid !== below.group; ) {
    const above = lineage(below.parent);
    if (above === undefined || above.group !== own?.group) break;
    chain.push({ pid, parent: below.parent });
    if (STARTER.test(above.name)) length = chain.length;
    pid = below.parent;
    below = above;
  }
  return chain.slice(0, length);
};

/** Where there is no /proc: the parent, if it is a starter. */
const parentIfStarter = (): number | undefined => {
  const shown = Bun.spawnSync(["ps", "-p", String(process.ppid), "-o", "comm="], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return STARTER.test(basename(shown.stdout.toString().trim())) ? process.ppid : undefined;
};

const isUnbroken = ({ pid, parent }: Link): boolean => lineage(pid)?.parent === parent;

const POLL_EVERY_MS = 500;

/**
 * Calls `onDeath` when one of the processes that started this one ends: when `npx` or `bun run` is killed, the signal does
 * not reach their children. Returns a function that ends the watch. Where there is no /proc, only the parent is watched.
 */
export const watchAncestors = (onDeath: () => void): (() => void) => {
  const chain = process.platform === "linux" ? chainOfStarters() : [];
  const parent = process.platform === "linux" ? undefined : parentIfStarter();
  const isOrphaned = () => !chain.every(isUnbroken) || (parent !== undefined && process.ppid !== parent);
  const timer = setInterval(() => {
    if (!isOrphaned()) return;
    clearInterval(timer);
    onDeath();
  }, POLL_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};
