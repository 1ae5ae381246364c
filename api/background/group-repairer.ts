import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { inTurns } from "../../runtime/in-turns.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { ensureGroup } from "../../stream/ensure-group.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";

const EVERY_MS = 5_000;

/**
 * Makes streams and groups that are missing, also while there is no consumer: the autoscaler needs the group to see its
 * lag, and an event that is published before its group must be read all the same.
 */
export const startGroupRepairer = (deps: {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  readonly log: Logger;
}): Loop =>
  startLoop({
    name: "group repairer",
    log: deps.log,
    everyMs: EVERY_MS,
    turn: async () => {
      await inTurns(deps.groups, async (group) => {
        const made = await ensureGroup(deps.redis, deps.keys, group);
        if (made > 0) deps.log.info({ group: group.name, made }, "made the group on its streams");
        return "idle";
      });
      return "idle";
    },
  });
