import type { Redis } from "ioredis";
import { GROUPS, type Group } from "./groups.ts";
import { type InfoRecord, infoRecords, numberOf, orNone } from "./info-records.ts";
import type { Keys } from "./keys.ts";
import { watermarkAgeMs } from "./watermark.ts";

/** A consumer as its group knows it, over both streams. */
export interface ConsumerStatus {
  readonly name: string;
  readonly pending: number;
  /** Since it last asked for entries, in ms; the shorter of the two streams. */
  readonly idleMs: number;
}

/** Where a group stands. */
export interface GroupStatus {
  readonly group: string;
  /** Nobody reads it any more: it is on the stream, but not in `stream/groups.ts`. It holds back trimming. */
  readonly forgotten: boolean;
  /** On which of its two streams it exists. */
  readonly exists: { readonly events: boolean; readonly retries: boolean };
  /** Entries of the log that it has not read. null: Redis does not know (7.0 after a restart or a failover). */
  readonly lag: number | null;
  /** The same of its own retries stream: due retries, redrives, what was handed back or reconciled. */
  readonly retriesLag: number | null;
  /** Read and not acked, on both streams. */
  readonly pending: number;
  /** Waiting aside for their next try. */
  readonly waitingRetries: number;
  readonly deadLetters: number;
  readonly paused: boolean;
  /** Age of the low watermark in ms of Redis' clock: how long the oldest unfinished entry has waited. 0: none. */
  readonly oldestUnfinishedMs: number;
  readonly consumers: readonly ConsumerStatus[];
}

const recordOf = async (redis: Redis, stream: string, group: string): Promise<InfoRecord | undefined> =>
  infoRecords(await orNone(redis.xinfo("GROUPS", stream))).find((record) => record.get("name") === group);

const consumersOn = async (redis: Redis, stream: string, group: string): Promise<readonly ConsumerStatus[]> =>
  infoRecords(await orNone(redis.xinfo("CONSUMERS", stream, group))).map((record) => ({
    name: String(record.get("name")),
    pending: numberOf(record, "pending") ?? 0,
    idleMs: numberOf(record, "idle") ?? 0,
  }));

const merged = (all: readonly ConsumerStatus[]): readonly ConsumerStatus[] => {
  const byName = new Map<string, ConsumerStatus>();
  for (const { name, pending, idleMs } of all) {
    const known = byName.get(name);
    byName.set(name, {
      name,
      pending: pending + (known?.pending ?? 0),
      idleMs: Math.min(idleMs, known?.idleMs ?? idleMs),
    });
  }
  return [...byName.values()].sort((left, right) => left.name.localeCompare(right.name));
};

/** The consumers of a group, by name, over both of its streams (XINFO CONSUMERS). */
export const readConsumers = async (redis: Redis, keys: Keys, group: string): Promise<readonly ConsumerStatus[]> => {
  const both = [keys.events, keys.retries(group)].map((stream) => consumersOn(redis, stream, group));
  return merged((await Promise.all(both)).flat());
};

/** Everything about one group, each part one cheap command at any depth. */
export const readGroupStatus = async (redis: Redis, keys: Keys, group: Group): Promise<GroupStatus> => {
  const { name } = group;
  const retries = keys.retries(name);
  const [onEvents, onRetries, waitingRetries, deadLetters, paused, oldestUnfinishedMs, consumers] = await Promise.all([
    recordOf(redis, keys.events, name),
    recordOf(redis, retries, name),
    redis.zcard(keys.retry(name)),
    redis.xlen(keys.dead(name)),
    redis.sismember(keys.paused, name),
    watermarkAgeMs(redis, keys, group),
    readConsumers(redis, keys, name),
  ]);
  return {
    group: name,
    forgotten: !GROUPS.some((known) => known.name === name),
    exists: { events: onEvents !== undefined, retries: onRetries !== undefined },
    lag: numberOf(onEvents, "lag") ?? null,
    retriesLag: numberOf(onRetries, "lag") ?? null,
    pending: (numberOf(onEvents, "pending") ?? 0) + (numberOf(onRetries, "pending") ?? 0),
    waitingRetries,
    deadLetters,
    paused: paused === 1,
    oldestUnfinishedMs,
    consumers,
  };
};

/** The groups that the code knows, then those that are on the log and that it does not know. */
export const listGroups = async (redis: Redis, keys: Keys): Promise<readonly Group[]> => {
  const onStream = infoRecords(await orNone(redis.xinfo("GROUPS", keys.events))).map((item) =>
    String(item.get("name")),
  );
  const forgotten = onStream.filter((name) => !GROUPS.some((known) => known.name === name)).sort();
  return [...GROUPS, ...forgotten.map((name): Group => ({ name, types: [] }))];
};
