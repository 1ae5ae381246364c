import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { inTurns } from "../../runtime/in-turns.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { restoreLag } from "../../stream/scripts/restore-lag.ts";

const EVERY_MS = 5_000;

/**
 * Keeps `lag` known: Redis 7.0 forgets it after a restart from its file or a failover, and the autoscaler, which takes nil
 * for nothing, would scale a backlog to zero.
 */
export const startLagRepairer = (
  deps: { readonly redis: Redis; readonly keys: Keys; readonly groups: readonly Group[]; readonly log: Logger },
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  const { redis, keys, groups, log } = deps;
  return startLoop({
    name: "lag repairer",
    log,
    everyMs,
    turn: async () => {
      const streams = [keys.events, ...groups.map(({ name }) => keys.retriesStream(name))];
      await inTurns(
        streams.map((name) => ({ name })),
        async ({ name: stream }) => {
          const restored = await restoreLag(redis, stream);
          if (restored.length > 0)
            log.warn({ stream, groups: restored }, "Redis had forgotten the lag; it is restored");
          return "idle";
        },
      );
      return "idle";
    },
  });
};
