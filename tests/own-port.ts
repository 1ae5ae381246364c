import { isFree } from "../local/ports.ts";

/** Below the ports that systems hand out by themselves (from 32,768 on Linux). */
const RANGE = { from: 20_000, count: 12_000 } as const;
/** Ports between those of two processes whose numbers are next to each other: more than a test file asks for. */
const STRIDE = 97;

let asked = 0;

/**
 * A port of 127.0.0.1 for a server that is about to start. One that the system gave could be given once more before that,
 * to any connection on this machine. Test files that run side by side, each in a process of its own, ask for different ones.
 */
export const ownPort = async (): Promise<number> => {
  for (let attempt = 0; attempt < RANGE.count; attempt += 1) {
    const port = RANGE.from + ((process.pid * STRIDE + asked) % RANGE.count);
    asked += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${RANGE.from} on, of ${RANGE.count}, on 127.0.0.1`);
};
