import { readdirSync, readFileSync } from "node:fs";
import { procStat } from "../local/proc-stat.ts";

const ownMemory = (pid: number | string): number => {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    // It has ended, or is another user's.
    return 0;
  }
};

/** Memory of a process and its children, what they share counted once (PSS), in MiB. */
export const memoryOf = (pid: number): number => {
  const children = readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && procStat(Number(name))?.field(4) === pid,
  );
  return children.reduce((sum, each) => sum + ownMemory(each), ownMemory(pid)) / 1_024;
};
