import { readFileSync } from "node:fs";

/** A process as /proc/<pid>/stat shows it, proc(5). */
export interface ProcStat {
  readonly name: string;
  /** A field by its number in proc(5), from 3 on; NaN where it is no number. */
  readonly field: (number: number) => number;
}

/** Reads /proc/<pid>/stat; undefined if the process has ended, or there is no /proc. */
export const procStat = (pid: number): ProcStat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const nameEnd = text.lastIndexOf(")");
    const fields = text.slice(nameEnd + 2).split(" ");
    return { name: text.slice(text.indexOf("(") + 1, nameEnd), field: (number) => Number(fields[number - 3]) };
  } catch {
    return undefined;
  }
};
