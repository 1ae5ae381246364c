import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isAlive } from "./child.ts";

/** Another system runs in this folder. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

/** When the process was started (field 22 of /proc/<pid>/stat): its id alone may have been reused. */
const startOf = (pid: number): string => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
};

const noteOf = (pid: number): string => `${pid} ${startOf(pid)}\n`;

const isTaken = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST";

/** The process that holds the lock, if it is still running. */
const holderOf = (file: string): number | undefined => {
  const note = readFileSync(file, "utf8");
  const pid = Number(note.split(" ")[0]);
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) && note === noteOf(pid) ? pid : undefined;
};

/**
 * Locks a folder for this process, by a file with its id; returns a function that unlocks it. The lock of a process that is
 * gone is ignored.
 *
 * @throws {AlreadyRunning}
 */
export const lockFolder = (file: string): (() => void) => {
  mkdirSync(dirname(file), { recursive: true });
  // A link appears with its whole content: nobody reads a partial file.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, noteOf(process.pid));
  try {
    for (;;) {
      try {
        linkSync(draft, file);
        return () => rmSync(file, { force: true });
      } catch (error) {
        if (!isTaken(error)) throw error;
        const holder = holderOf(file);
        if (holder !== undefined) {
          throw new AlreadyRunning(`a system is already running in this folder (process ${holder}); stop it first`);
        }
        rmSync(file, { force: true });
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
};
