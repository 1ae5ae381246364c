import { claimPort, isFree } from "../../local/ports.ts";

/** Below the ports that systems hand out by themselves (from 32,768 on Linux). */
const RANGE = { from: 20_000, to: 32_000 } as const;
const ATTEMPTS = 200;

/**
 * A port that stays ours while its process is down: one that the system gave would be given to somebody else on this
 * machine before its process is started again, and clients would talk to a stranger.
 *
 * @throws if none is to be had
 */
export const ownPort = async (): Promise<number> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from));
    if ((await isFree(port)) && claimPort(port)) return port;
  }
  throw new Error(`no free port from ${RANGE.from} to ${RANGE.to} on 127.0.0.1`);
};
