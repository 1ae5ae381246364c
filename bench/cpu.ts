import { readdirSync, readFileSync } from "node:fs";

/** `USER_HZ`: what /proc counts in, on every Linux that we know. */
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
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const at = (field: number) => Number(fields[field - 3]);
    return { parent: at(4), own: at(14) + at(15), ended: at(16) + at(17) };
  } catch {
    return undefined;
  }
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
