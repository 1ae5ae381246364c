import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { isOrphaned, listGroups } from "../../stream/group-status.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { groupsReader, readingEachOnce } from "../../stream/read-groups.ts";
import { trimBelow, trimBound } from "../../stream/trim.ts";
import { endOf, groupPositions, isBelow, redisTimeMs } from "../../stream/watermark.ts";

export interface JanitorDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  readonly log: Logger;
}

const EVERY_MS = 10_000;

/**
 * Trims the streams below what is finished: the log of events below every group's low watermark, once older than the
 * retention; each group's own retries stream below its watermark. A slow group is never robbed, a fast one never waits.
 *
 * A group that nobody reads any more holds back trimming for good: it is named, for an operator to drop.
 */
export const startJanitor = (
  { redis, keys, groups, log }: JanitorDeps,
  { retentionMs, everyMs = EVERY_MS }: { readonly retentionMs: number; readonly everyMs?: number },
): Loop => {
  const now = () => performance.now();
  let warnedOf = "";
  /** Where the log of events ended: at its last look, and at one that is a retention ago. */
  let looked: { readonly atMs: number; readonly end: string } | undefined;
  let endThen: string | undefined;

  const lookAtEnd = async (): Promise<void> => {
    const end = await endOf(redis, keys.events);
    // It was deleted, and begun anew.
    if (looked !== undefined && isBelow(end, looked.end)) [looked, endThen] = [undefined, undefined];
    if (looked !== undefined && now() - looked.atMs < retentionMs) return;
    endThen = looked?.end;
    looked = { atMs: now(), end };
  };

  const warnOf = (orphaned: readonly string[]): void => {
    const names = orphaned.join(", ");
    if (names !== warnedOf && names !== "") {
      log.warn({ groups: orphaned }, "groups that nobody reads hold back trimming; `ops group drop NAME` drops one");
    }
    warnedOf = names;
  };

  return startLoop({
    name: "janitor",
    log,
    everyMs,
    turn: async () => {
      // What is read of the log meanwhile counts as unread: trimming goes less far for it, never further.
      const read = readingEachOnce(groupsReader(redis));
      const listed = await listGroups(redis, keys, groups, read);
      const orphaned = await Promise.all(listed.map((group) => isOrphaned(redis, keys, group)));
      warnOf(listed.flatMap(({ name }, index) => (orphaned[index] ? [name] : [])));
      const nowMs = await redisTimeMs(redis);
      await lookAtEnd();
      const everyGroups: (string | undefined)[] = [];
      for (const { name } of listed) {
        const retries = keys.retriesStream(name);
        const end = await endOf(redis, retries);
        const positions = await groupPositions(redis, keys, name, read);
        const unfinished = positions.flatMap(({ oldestUnread, oldestPending }) => [oldestUnread, oldestPending]);
        everyGroups.push(...unfinished);
        const bound = trimBound(unfinished, { nowMs, retentionMs: 0, endThen: end });
        if (bound !== undefined) await trimBelow(redis, retries, bound);
      }
      const bound = trimBound(everyGroups, { nowMs, retentionMs, endThen });
      const trimmed = bound === undefined ? 0 : await trimBelow(redis, keys.events, bound);
      if (trimmed > 0) log.info({ trimmed }, "trimmed events that every group has finished");
      return "idle";
    },
  });
};
