import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isAlive } from "./child.ts";

/** A system is running in this folder already. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

/** Notes that a system runs in this folder; returns a function that takes the note away. */
export const lockFolder = (file: string): (() => void) => {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file)) {
    const pid = Number(readFileSync(file, "utf8"));
    if (Number.isInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid)) {
      throw new AlreadyRunning(`the system is running in this folder already (process ${pid}); stop it first`);
    }
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
};
