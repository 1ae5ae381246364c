import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { pause } from "../runtime/loop.ts";
import { isAlive } from "./child.ts";

export interface Leftover {
  /** Contains the process id in its first line. */
  readonly pidFile: string;
  /** The working directory of the server. */
  readonly dataDirectory: string;
  /** Asks for a clean shutdown. */
  readonly signal: NodeJS.Signals;
  readonly timeoutMs: number;
}

/** A process id may have been reused. The working directory of our server is its data directory. */
const worksIn = (pid: number, directory: string): "yes" | "no" | "unknown" => {
  if (process.platform === "linux") {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory) ? "yes" : "no";
    } catch {
      return "unknown";
    }
  }
  const shown = Bun.spawnSync(["ps", "-p", String(pid), "-o", "comm="], { stdio: ["ignore", "pipe", "ignore"] });
  return /postgres|redis|valkey/.test(basename(shown.stdout.toString().trim())) ? "yes" : "no";
};

/**
 * Stops a server that outlived its starter: only one can run on a data directory. The pid file of a server that is gone is
 * removed, for its id may have been reused. When the owner of the id is unknown, nothing is changed: the new server refuses
 * to start.
 */
export const stopLeftover = async ({ pidFile, dataDirectory, signal, timeoutMs }: Leftover): Promise<void> => {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  const isProcess = Number.isInteger(pid) && pid > 1 && isAlive(pid);
  const isOurs = isProcess ? worksIn(pid, dataDirectory) : "no";
  if (isOurs === "no") rmSync(pidFile, { force: true });
  if (isOurs !== "yes") return;
  process.kill(pid, signal);
  const deadline = performance.now() + timeoutMs;
  while (isAlive(pid) && performance.now() < deadline) await pause(20);
  if (isAlive(pid)) process.kill(pid, "SIGKILL");
};
