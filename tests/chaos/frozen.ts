import { readFileSync } from "node:fs";

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

const signal = (pid: number, which: NodeJS.Signals): void => {
  try {
    process.kill(pid, which);
  } catch {
    // It has exited already.
  }
};

/** Stops a server and the processes that it has made, so that none answers and its sockets stay. */
export interface Freezer {
  /** SIGSTOP. The server first: it makes others. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
}

/** Undefined where it is not known which processes a server has made: it takes Linux. `pid`: of the server that runs then. */
export const createFreezer = (pid: () => number, platform: NodeJS.Platform = process.platform): Freezer | undefined => {
  if (platform !== "linux") return undefined;
  return {
    freeze() {
      signal(pid(), "SIGSTOP");
      for (const child of childrenOf(pid())) signal(child, "SIGSTOP");
    },
    thaw() {
      for (const child of childrenOf(pid())) signal(child, "SIGCONT");
      signal(pid(), "SIGCONT");
    },
  };
};
