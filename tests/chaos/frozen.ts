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

/** Stops a server and the processes that it has made, so that none answers and its sockets stay. The server first: it makes others. */
export const freeze = (pid: number): void => {
  signal(pid, "SIGSTOP");
  for (const child of childrenOf(pid)) signal(child, "SIGSTOP");
};

export const thaw = (pid: number): void => {
  for (const child of childrenOf(pid)) signal(child, "SIGCONT");
  signal(pid, "SIGCONT");
};
