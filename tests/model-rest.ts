import type { Redis } from "ioredis";
import type { Database } from "../database/connection.ts";
import { UNFINISHED_STATES } from "../database/ledger/states.ts";
import type { Group } from "../stream/groups.ts";
import type { Keys } from "../stream/keys.ts";
import { eventually } from "./eventually.ts";

/** Of each kind. */
const MOST_TOLD = 3;

const WITHIN_MS = 60_000;

interface RestDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
}

/** What is not final, and what is pending or waits, in words; empty at rest. The database has no other unfinished deliveries. */
const whatIsLeft = async ({ db, redis, keys }: RestDeps, groups: readonly Group[]): Promise<readonly string[]> => {
  const unfinished = await db
    .selectFrom("deliveries")
    .select(["group_name", "event_id", "state", "reason", "timeline"])
    .where("state", "in", [...UNFINISHED_STATES, "held"])
    .limit(MOST_TOLD)
    .execute();
  const left = unfinished.map((row) => JSON.stringify(row));
  for (const { name } of groups) {
    for (const stream of [keys.events, keys.retriesStream(name)]) {
      const pending = await redis.xpending(stream, name, "-", "+", MOST_TOLD).catch(() => ["there is no group"]);
      if (pending.length > 0) left.push(`pending on ${stream}: ${JSON.stringify(pending)}`);
    }
    const waiting = await redis.zcard(keys.retrySet(name));
    if (waiting > 0) left.push(`${waiting} of ${name} wait`);
  }
  return left;
};

/** Resolves when all work is final and nothing moves. `more`: what else to tell of a pipeline that finds no rest. */
export const untilAtRest = async (
  deps: RestDeps,
  groups: readonly Group[],
  more: () => readonly string[],
): Promise<void> => {
  let left: readonly string[] = [];
  const isAtRest = async () => {
    // On a busy machine a look may take longer than Postgres permits: the next one tells.
    left = await whatIsLeft(deps, groups).catch((error: unknown) => [`a look failed: ${error}`]);
    return left.length === 0;
  };
  await eventually(isAtRest, WITHIN_MS).catch((cause: unknown) => {
    throw new Error([`there is no rest after ${WITHIN_MS} ms:`, ...left, ...more()].join("\n"), { cause });
  });
};
