import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { inTurns } from "../../runtime/in-turns.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { restoreLag } from "../../stream/scripts/restore-lag.ts";

const EVERY_MS = 5_000;

/**
 * Keeps `lag` known and right: Redis 7.0 forgets it after a restart from its file or a failover, and the autoscaler, which takes
 * nil for nothing, would scale a backlog to zero. After a second restart it reports entries as unread that were read, which would
 * keep consumers for ever: so all are counted once after each connect, and in each round a lag is compared with the first entries
 * that are unread, because behind a proxy nobody sees the restart. A group whose position lies beyond the end of a stream reads again from the start. Where an entry was deleted by hand, Redis cannot know the lag
 * until the group has read past it: that is said once.
 */
export const startLagRepairer = (
  deps: { readonly redis: Redis; readonly keys: Keys; readonly groups: readonly Group[]; readonly log: Logger },
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  const { redis, keys, groups, log } = deps;
  /** `stream group` of which Redis cannot know the lag. */
  const unknowable = new Set<string>();
  const streams = [keys.events, ...groups.map(({ name }) => keys.retriesStream(name))];
  const own = new Set(groups.map(({ name }) => name));
  let connects = 0;
  redis.on("ready", () => {
    connects += 1;
  });
  /** Stream -> the connect since which all of its groups are counted. */
  const countedSince = new Map<string, number>();

  const noteUnknown = (stream: string, unknown: readonly string[]): void => {
    const names = unknown.map((group) => `${stream} ${group}`);
    const added = unknown.filter((_, index) => !unknowable.has(names[index] ?? ""));
    for (const each of [...unknowable])
      if (each.startsWith(`${stream} `) && !names.includes(each)) unknowable.delete(each);
    for (const name of names) unknowable.add(name);
    if (added.length > 0) {
      log.warn(
        { stream, groups: added },
        "an entry was deleted by hand; Redis knows no lag until the group has read past it",
      );
    }
  };

  return startLoop({
    name: "lag repairer",
    log,
    everyMs,
    turn: async () => {
      await inTurns(
        streams.map((name) => ({ name })),
        async ({ name: stream }) => {
          const connect = connects;
          const { rewound, restored, unknown, uncounted } = await restoreLag(redis, stream, {
            all: countedSince.get(stream) !== connect,
            own,
          });
          if (uncounted.length === 0) countedSince.set(stream, connect);
          noteUnknown(stream, unknown);
          if (rewound.length > 0)
            log.warn(
              { stream, groups: rewound },
              "the position was beyond the end of the stream; it is read again from the start",
            );
          if (restored.length > 0)
            log.warn({ stream, groups: restored }, "Redis had forgotten the lag or counted wrong; it is restored");
          return "idle";
        },
      );
      return "idle";
    },
  });
};
