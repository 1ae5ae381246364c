import { BACKLOG_BOUND, type Backlog, readBacklogs } from "../../database/ledger/counts.ts";
import { readPostgresFacts } from "../../database/postgres-facts.ts";
import { pause } from "../../runtime/loop.ts";
import { duration } from "../../runtime/quantity.ts";
import { describe, type Finding } from "../../runtime/situation/describe.ts";
import type { ConsumerFacts, Facts, GroupFacts } from "../../runtime/situation/facts.ts";
import { since } from "../../runtime/situation/words.ts";
import type { ConsumerStatus, GroupStatus } from "../../stream/group-status.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import type { Operator } from "./operator.ts";
import { type PipelineStatus, readStatus } from "./status.ts";
import { ANSWER_WITHIN_MS, type Store, untilStoresAnswer } from "./stores.ts";

/** A reading that is watched is given up after this time, in ms: a store may hang in the middle of it. */
const WATCHED_WITHIN_MS = 8_000;

type Asked = Pick<Operator, "db" | "redis" | "keys" | "groups">;

/** The state of the pipeline, as far as the stores answer, and what it means. */
export interface Situation {
  /** The most important first. */
  readonly findings: readonly [Finding, ...Finding[]];
  /** undefined: a store is away. */
  readonly status: CountedStatus | undefined;
}

/** The status, with what each group has to do. */
export interface CountedStatus extends PipelineStatus {
  /** By the group's name. */
  readonly backlogs: Readonly<Record<string, Backlog>>;
}

const consumerFacts = ({ name, silentMs, report }: ConsumerStatus): readonly ConsumerFacts[] =>
  report === null || silentMs === null ? [] : [{ ...report, name, silentMs }];

const groupFacts = (group: GroupStatus, backlog: Backlog, { ledger }: PipelineStatus): GroupFacts => ({
  group: group.group,
  pausedBy: group.paused ? (group.pausedFor ?? "an operator") : null,
  exists: group.exists.events && group.exists.retries,
  unfinished: { count: backlog.unfinished, isBound: backlog.unfinished >= BACKLOG_BOUND },
  oldestMs: group.oldestUnfinishedMs,
  held: ledger.held.filter((each) => each.group === group.group),
  dead: group.deadLetters,
  consumers: group.consumers.flatMap(consumerFacts),
  lastHour: group.lastHour,
});

/** How far Redis' clock is ahead of Postgres', in ms. */
export const clockDifferenceMs = async ({ db, redis }: Pick<Asked, "db" | "redis">): Promise<number> => {
  const [redisMs, { clockMs }] = await Promise.all([redisTimeMs(redis), readPostgresFacts(db)]);
  return redisMs - clockMs;
};

/** Since when something was found not to answer, for who asks again and again. */
export type AwaySince = Map<Store | "state", Date>;

const sinceIn = (away: AwaySince, what: Store | "state", now: Date): string => {
  const at = away.get(what) ?? now;
  away.set(what, at);
  return since(at.toISOString(), now);
};

/** What keeps a store from answering; undefined: it answers. */
const faultOf = async (asked: Asked, store: Store, now: Date, away?: AwaySince): Promise<string | undefined> => {
  try {
    await untilStoresAnswer(asked, [store], ANSWER_WITHIN_MS / 2);
    away?.delete(store);
    return undefined;
  } catch {
    return away === undefined ? "does not answer" : `has not answered ${sinceIn(away, store, now)}`;
  }
};

/** Asks both stores, and says what their answers mean; a store that is away is a finding, not an error. */
export const readSituation = async (asked: Asked, now: Date, away?: AwaySince): Promise<Situation> => {
  const [postgres, redis] = await Promise.all([
    faultOf(asked, "database", now, away),
    faultOf(asked, "redis", now, away),
  ]);
  const nothing: Facts = {
    now,
    postgres,
    redis,
    outbox: { rows: 0, oldestMs: 0 },
    clockDifferenceMs: 0,
    groups: [],
  };
  if (postgres !== undefined || redis !== undefined) return { findings: describe(nothing), status: undefined };
  const [status, differenceMs] = await Promise.all([readStatus(asked), clockDifferenceMs(asked)]);
  const known = status.groups.filter((group) => !group.orphaned);
  const backlogs = await readBacklogs(
    asked.db,
    known.map(({ group }) => group),
  );
  const groups = known.flatMap((group) => {
    const backlog = backlogs.get(group.group);
    return backlog === undefined ? [] : [groupFacts(group, backlog, status)];
  });
  const { rows, oldestAgeMs } = status.ledger.outbox;
  const outbox = { rows, oldestMs: oldestAgeMs };
  return {
    findings: describe({ ...nothing, outbox, clockDifferenceMs: differenceMs, groups }),
    status: { ...status, backlogs: Object.fromEntries(backlogs) },
  };
};

/**
 * The same, to be read again and again: what keeps it from being read is a finding, too. So a watch outlives a store that hangs, or
 * goes away in the middle of a reading.
 */
export const watchSituation = async (
  asked: Asked,
  now: Date,
  { withinMs = WATCHED_WITHIN_MS, away }: { readonly withinMs?: number; readonly away?: AwaySince } = {},
): Promise<Situation> => {
  const done = new AbortController();
  const late = pause(withinMs, done.signal).then((): never => {
    throw new Error(`no answer within ${duration(withinMs)}`);
  });
  // Nobody awaits the one that loses the race.
  late.catch(() => {});
  const reading = readSituation(asked, now, away);
  reading.catch(() => {});
  try {
    const situation = await Promise.race([reading, late]);
    away?.delete("state");
    return situation;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const sentence =
      away === undefined
        ? `The state cannot be read: ${why}`
        : `The state has been unreadable ${sinceIn(away, "state", now)}: ${why}`;
    return { findings: [{ level: "trouble", sentence }], status: undefined };
  } finally {
    done.abort();
  }
};
