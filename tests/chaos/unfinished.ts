import { Redis } from "ioredis";
import postgres from "postgres";
import { WORKING_GROUPS } from "./groups.ts";
import type { ChaosSystem } from "./system.ts";

/** What a group has not finished. */
export interface UnfinishedWork {
  /** Deliveries that are not final. */
  readonly deliveries: number;
  /** Entries in flight, on either stream. */
  readonly pending: number;
  /** Entries that are delayed until their next attempt. */
  readonly delayed: number;
  /** Entries that no consumer has read, on either stream. */
  readonly unread: number;
}

/** All 0 when the system is at rest. */
export interface Unfinished {
  readonly outboxRows: number;
  readonly byGroup: ReadonlyMap<string, UnfinishedWork>;
}

const EVENTS = "{chaos}:events";
const retriesStreamOf = (group: string) => `{chaos}:retries:${group}`;

/** Counts the entries after the last one that was delivered: Redis' own `lag` is nil after some deletions. */
const unreadOn = async (redis: Redis, stream: string, group: string): Promise<number> => {
  const groups: unknown = await redis.xinfo("GROUPS", stream);
  for (const fields of Array.isArray(groups) ? groups : []) {
    if (!Array.isArray(fields) || fields[fields.indexOf("name") + 1] !== group) continue;
    const lastRead: unknown = fields[fields.indexOf("last-delivered-id") + 1];
    return (await redis.xrange(stream, `(${String(lastRead)}`, "+")).length;
  }
  throw new Error(`the group ${group} is missing on ${stream}`);
};

const pendingOn = async (redis: Redis, stream: string, group: string): Promise<number> => {
  const summary: unknown = await redis.xpending(stream, group);
  return Array.isArray(summary) ? Number(summary[0]) : 1;
};

/** Undefined: a store does not answer, or a group is missing. */
export const countUnfinished = async (system: ChaosSystem): Promise<Unfinished | undefined> => {
  const redis = new Redis(system.redisUrl, { retryStrategy: () => null });
  redis.on("error", () => {});
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [outbox] = await sql<{ rows: number }[]>`select count(*)::int as rows from outbox`;
    const deliveries = await sql<{ group_name: string; count: number }[]>`
      select group_name, count(*)::int as count from deliveries
      where state not in ('done', 'dead', 'suppressed', 'cancelled') group by group_name`;
    if (outbox === undefined) return undefined;
    const byGroup = new Map<string, UnfinishedWork>();
    for (const { name } of WORKING_GROUPS) {
      const streams = [EVENTS, retriesStreamOf(name)];
      const sum = async (count: (stream: string) => Promise<number>) =>
        (await Promise.all(streams.map(count))).reduce((total, each) => total + each, 0);
      byGroup.set(name, {
        deliveries: deliveries.find(({ group_name }) => group_name === name)?.count ?? 0,
        pending: await sum((stream) => pendingOn(redis, stream, name)),
        delayed: await redis.zcard(`{chaos}:retry:${name}`),
        unread: await sum((stream) => unreadOn(redis, stream, name)),
      });
    }
    return { outboxRows: outbox.rows, byGroup };
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
  }
};

/** What is left, in words; empty when the system is at rest. */
export const leftovers = (unfinished: Unfinished | undefined): string[] => {
  if (unfinished === undefined) return ["a store does not answer, or a group is missing"];
  const counts = [
    ["outbox rows", unfinished.outboxRows] as const,
    ...[...unfinished.byGroup].flatMap(([group, work]) =>
      Object.entries(work).map(([what, count]: [string, number]) => [`${what} of ${group}`, count] as const),
    ),
  ];
  return counts.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
};
