import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import { promoteDue } from "../../stream/scripts/promote.ts";

export interface PromoterDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly log: Logger;
}

const MAX_PER_TURN = 200;
const EVERY_MS = 250;

/** Queues due retries. Any number of promoters may run: a script moves each member once. */
export const startPromoter = ({ redis, keys, group, log }: PromoterDeps): Loop =>
  startLoop({
    name: `promoter of ${group}`,
    log,
    everyMs: EVERY_MS,
    turn: async () => {
      const moved = await promoteDue(
        redis,
        { retrySet: keys.retrySet(group), retriesStream: keys.retriesStream(group) },
        MAX_PER_TURN,
      );
      return moved === MAX_PER_TURN ? "again" : "idle";
    },
  });
