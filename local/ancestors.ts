import { readFileSync } from "node:fs";

/** Parent and process group of a process (fields 4 and 5 of /proc/<pid>/stat, proc(5)). */
const lineage = (pid: number): { readonly parent: number; readonly group: number } | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, parent = "", group = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(parent), group: Number(group) };
  } catch {
    return undefined;
  }
};

const LOOK_EVERY_MS = 500;

/**
 * Calls `onDeath` when one of the processes that started us ends: `npx` or `bun run`, killed outright, leave us running for
 * ever otherwise. Looks as far up as our process group reaches. Returns a function that ends the watch. Linux only;
 * elsewhere it watches nothing.
 */
export const watchAncestors = (onDeath: () => void): (() => void) => {
  const chain: { readonly pid: number; readonly parent: number }[] = [];
  const own = lineage(process.pid);
  for (let pid = process.pid; own !== undefined; ) {
    const found = lineage(pid);
    if (found === undefined || found.group !== own.group || found.parent <= 1) break;
    chain.push({ pid, parent: found.parent });
    if (pid === own.group) break;
    pid = found.parent;
  }
  const timer = setInterval(() => {
    if (chain.every(({ pid, parent }) => lineage(pid)?.parent === parent)) return;
    clearInterval(timer);
    onDeath();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};
