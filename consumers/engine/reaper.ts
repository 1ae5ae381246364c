import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { readConsumers } from "../../stream/group-status.ts";
import type { Keys } from "../../stream/keys.ts";
import { leaveGroup } from "../../stream/scripts/leave.ts";

export interface ReaperDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  /** Own name, which is not reaped. */
  readonly consumer: string;
  readonly log: Logger;
}

const EVERY_MS = 60_000;
/** Long after a dead consumer's entries were claimed. A live one that is removed is added again by its next read. */
const IDLE_MS = 3_600_000;

/** Removes dead consumers: idle for an hour, with nothing pending, atomically. */
export const startReaper = (
  { redis, keys, group, consumer, log }: ReaperDeps,
  { everyMs = EVERY_MS, idleMs = IDLE_MS }: { readonly everyMs?: number; readonly idleMs?: number } = {},
): Loop =>
  startLoop({
    name: `reaper of ${group}`,
    log,
    everyMs,
    needs: redis,
    turn: async () => {
      const idle = (await readConsumers(redis, keys, group)).filter(
        (each) => each.name !== consumer && each.pending === 0 && (each.idleMs ?? 0) > idleMs,
      );
      for (const { name } of idle) {
        await leaveGroup(redis, { events: keys.events, retries: keys.retriesStream(group) }, group, name);
        log.info({ reaped: name }, "removed a dead consumer");
      }
      return "idle";
    },
  });
