import { readdirSync } from "node:fs";
import { procStat } from "../local/proc-stat.ts";

/** `USER_HZ`, the unit of CPU time in /proc: 100 on every common Linux. */
const TICKS_PER_SECOND = 100;

interface Usage {
  readonly parent: number;
  /** Its own, in ticks. */
  readonly own: number;
  /** Of its children that have ended and were waited for, in ticks. */
  readonly ended: number;
}

/** Fields 4 and 14 to 17 of /proc/<pid>/stat, proc(5); nothing if the process has ended. */
const usageOf = (pid: number): Usage | undefined => {
  const field = procStat(pid)?.field;
  return field && { parent: field(4), own: field(14) + field(15), ended: field(16) + field(17) };
};

const inMicroseconds = (ticks: number): number => (ticks / TICKS_PER_SECOND) * 1_000_000;

/** CPU time of a process so far, user and system, all threads, in µs. */
export const cpuOf = (pid: number): number => inMicroseconds(usageOf(pid)?.own ?? 0);

/** CPU time of a process and its children, those that have ended included, in µs: Postgres has a process per connection. */
export const cpuOfFamily = (pid: number): number => {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ticks = pids.map((name) => {
    const usage = usageOf(Number(name));
    if (usage === undefined) return 0;
    if (Number(name) === pid) return usage.own + usage.ended;
    return usage.parent === pid ? usage.own : 0;
  });
  return inMicroseconds(ticks.reduce((sum, each) => sum + each, 0));
};
