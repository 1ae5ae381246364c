import type { Redis } from "ioredis";
import { isSilent } from "../runtime/situation/facts.ts";
import type { ConsumerReport } from "./consumer-report.ts";
import type { Group } from "./groups.ts";
import { type History, readHistory } from "./history.ts";
import { type InfoRecord, infoRecords, numberOf, orNone } from "./info-records.ts";
import type { Keys } from "./keys.ts";
import { groupOn, groupsReader, type ReadGroups, readingEachOnce } from "./read-groups.ts";
import { type ReportedConsumer, readReports } from "./scripts/beat.ts";
import { countUnread } from "./scripts/restore-lag.ts";
import { redisTimeMs, watermarkAgeMs } from "./watermark.ts";

/** A consumer of a group, over both streams. */
export interface ConsumerStatus {
  readonly name: string;
  readonly pending: number;
  /** Since it last asked for entries, in ms; the shorter of the two streams. null: it has not read an entry yet. */
  readonly idleMs: number | null;
  /** Since its last sign of life, in ms. null: none within an hour, or it left in order. */
  readonly silentMs: number | null;
  /** What it does, as it says itself. null: it does not, or is of another version. */
  readonly report: ConsumerReport | null;
}

/** The status of a group. */
export interface GroupStatus {
  readonly group: string;
  /** This process has such a group. Another one may: of another version, or with receivers in its settings. */
  readonly declared: boolean;
  /** Orphaned: it exists on the stream, is not declared, and no consumer reads it. It holds back trimming. */
  readonly orphaned: boolean;
  /** The streams, of its two, on which it exists. */
  readonly exists: { readonly events: boolean; readonly retries: boolean };
  /** Entries of the log that it has not read. null: unknown to Redis (7.0 after a restart or a failover). */
  readonly lag: number | null;
  /** The same of its retries stream: due retries, and entries redriven, released, replayed or reconciled. */
  readonly retriesLag: number | null;
  /** Where Redis does not know a lag: counted one by one, up to 10,000. null: Redis knows it. */
  readonly counted: { readonly lag: number | null; readonly retriesLag: number | null };
  /** Whether an entry of the log was ever read for it: not since it was made, by an api that found it missing. */
  readonly wasRead: boolean;
  /** Entries read and not acked, on both streams. */
  readonly pending: number;
  /** In the retry set, until their next attempt. */
  readonly waitingRetries: number;
  /** Those of them that are due: work for a consumer, while the others wait. */
  readonly dueRetries: number;
  readonly deadLetters: number;
  readonly paused: boolean;
  /** Why, if the group paused itself; null: it is not paused, or an operator paused it. */
  readonly pausedFor: string | null;
  /** Age of the low watermark in ms of Redis' clock: the age of the oldest unfinished entry. 0: none. */
  readonly oldestUnfinishedMs: number;
  readonly consumers: readonly ConsumerStatus[];
  readonly lastHour: History;
}

/** A consumer, as Redis knows it. */
type StreamConsumer = Pick<ConsumerStatus, "name" | "pending"> & { readonly idleMs: number };

const consumersOn = async (redis: Redis, stream: string, group: string): Promise<readonly StreamConsumer[]> =>
  infoRecords(await orNone(redis.xinfo("CONSUMERS", stream, group))).map((record) => ({
    name: String(record.get("name")),
    pending: numberOf(record, "pending") ?? 0,
    idleMs: numberOf(record, "idle") ?? 0,
  }));

const countedOn = (redis: Redis, stream: string, group: InfoRecord | undefined): Promise<number> | null =>
  group === undefined || numberOf(group, "lag") !== undefined
    ? null
    : countUnread(redis, stream, String(group.get("last-delivered-id")));

const merged = (all: readonly StreamConsumer[]): readonly StreamConsumer[] => {
  const byName = new Map<string, StreamConsumer>();
  for (const { name, pending, idleMs } of all) {
    const known = byName.get(name);
    byName.set(name, {
      name,
      pending: pending + (known?.pending ?? 0),
      idleMs: Math.min(idleMs, known?.idleMs ?? idleMs),
    });
  }
  return [...byName.values()];
};

const withReports = (
  onStreams: readonly StreamConsumer[],
  reported: readonly ReportedConsumer[],
): readonly ConsumerStatus[] => {
  const byName = new Map<string, ConsumerStatus>(
    onStreams.map((consumer) => [consumer.name, { ...consumer, silentMs: null, report: null }]),
  );
  for (const { name, silentMs, report = null } of reported) {
    byName.set(name, { pending: 0, idleMs: null, ...byName.get(name), name, silentMs, report });
  }
  return [...byName.values()].sort((left, right) => left.name.localeCompare(right.name));
};

/** The consumers of a group, by name: on both of its streams (XINFO CONSUMERS), and by their signs of life. */
export const readConsumers = async (redis: Redis, keys: Keys, group: string): Promise<readonly ConsumerStatus[]> => {
  const both = [keys.events, keys.retriesStream(group)].map((stream) => consumersOn(redis, stream, group));
  const [onStreams, reported] = await Promise.all([Promise.all(both), readReports(redis, keys, group)]);
  return withReports(merged(onStreams.flat()), reported);
};

/** The last entry that a group has read, as long as it has read none. */
const NEVER_READ = "0-0";

const isAlive = ({ silentMs }: ConsumerStatus): boolean => silentMs !== null && !isSilent({ silentMs });

const hasNoReader = (consumers: readonly ConsumerStatus[]): boolean => !consumers.some(isAlive);

/** Whether a group that is not declared has no consumer either that gives signs of life. */
export const isOrphaned = async (redis: Redis, keys: Keys, { name, declared }: ListedGroup): Promise<boolean> =>
  !declared && hasNoReader(await readConsumers(redis, keys, name));

/** The status of one group. Each command is cheap at any depth of its streams. */
export const readGroupStatus = async (
  redis: Redis,
  keys: Keys,
  name: string,
  {
    declared = true,
    read = readingEachOnce(groupsReader(redis)),
  }: { readonly declared?: boolean; readonly read?: ReadGroups } = {},
): Promise<GroupStatus> => {
  const retries = keys.retriesStream(name);
  const now = redisTimeMs(redis);
  const [
    onEvents,
    onRetries,
    waitingRetries,
    dueRetries,
    deadLetters,
    paused,
    pausedFor,
    oldestUnfinishedMs,
    consumers,
    lastHour,
  ] = await Promise.all([
    groupOn(read, keys.events, name),
    groupOn(read, retries, name),
    redis.zcard(keys.retrySet(name)),
    now.then((nowMs) => redis.zcount(keys.retrySet(name), "-inf", nowMs)),
    redis.xlen(keys.dead(name)),
    redis.sismember(keys.paused, name),
    redis.hget(keys.pausedFor, name),
    watermarkAgeMs(redis, keys, name, read),
    readConsumers(redis, keys, name),
    now.then((nowMs) => readHistory(redis, keys, name, nowMs)),
  ]);
  return {
    group: name,
    declared,
    orphaned: !declared && hasNoReader(consumers),
    exists: { events: onEvents !== undefined, retries: onRetries !== undefined },
    lag: numberOf(onEvents, "lag") ?? null,
    retriesLag: numberOf(onRetries, "lag") ?? null,
    counted: {
      lag: await countedOn(redis, keys.events, onEvents),
      retriesLag: await countedOn(redis, retries, onRetries),
    },
    wasRead: (onEvents?.get("last-delivered-id") ?? NEVER_READ) !== NEVER_READ,
    pending: (numberOf(onEvents, "pending") ?? 0) + (numberOf(onRetries, "pending") ?? 0),
    waitingRetries,
    dueRetries,
    deadLetters,
    paused: paused === 1,
    pausedFor: paused === 1 ? pausedFor : null,
    oldestUnfinishedMs,
    consumers,
    lastHour,
  };
};

/** A group on the log, and whether this code has it: another version may, or one with other receivers in its settings. */
export interface ListedGroup {
  readonly name: string;
  readonly declared: boolean;
}

/** The groups of this code, then the others on the log. */
export const listGroups = async (
  redis: Redis,
  keys: Keys,
  groups: readonly Group[],
  read: ReadGroups = groupsReader(redis),
): Promise<readonly ListedGroup[]> => {
  const known = groups.map(({ name }) => name);
  const onStream = (await read(keys.events)).map((item) => String(item.get("name")));
  const others = onStream.filter((name) => !known.includes(name)).sort();
  return [...known.map((name) => ({ name, declared: true })), ...others.map((name) => ({ name, declared: false }))];
};

/** The status of each of these groups. */
export const readGroupStatuses = async (
  redis: Redis,
  keys: Keys,
  groups: readonly Group[],
): Promise<readonly GroupStatus[]> => {
  const read = readingEachOnce(groupsReader(redis));
  const listed = await listGroups(redis, keys, groups, read);
  return Promise.all(listed.map(({ name, declared }) => readGroupStatus(redis, keys, name, { declared, read })));
};
