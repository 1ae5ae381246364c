import { hostname } from "node:os";
import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { endApiReport, writeApiReport } from "../../stream/api-reports.ts";
import type { Keys } from "../../stream/keys.ts";
import type { Troubles } from "../health/readiness.ts";

const EVERY_MS = 3_000;
const NAME = "fault reporter";

/**
 * Says in Redis what keeps this api from its work, or that nothing does, so that operators hear of it who ask for the whole: nobody else knows why
 * signups are refused, or that they are not.
 */
export const startFaultReporter = (
  deps: {
    readonly redis: Redis;
    readonly keys: Keys;
    readonly log: Logger;
    readonly name: string;
    /** Undefined: it is stopping. */
    readonly troubles: () => Promise<Troubles | undefined>;
  },
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  const { redis, keys, log, name, troubles } = deps;
  const host = hostname();
  let hasReported = false;
  return startLoop({
    name: NAME,
    log,
    everyMs,
    turn: async () => {
      const found = await troubles();
      if (found !== undefined) {
        hasReported = true;
        // What kept it from reporting is over when it is read.
        const { [NAME]: own, ...loops } = found.loops;
        await writeApiReport(redis, keys, name, { host, ...found, loops });
      } else if (hasReported) {
        await endApiReport(redis, keys, name);
        hasReported = false;
      }
      return "idle";
    },
  });
};
