import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { countLedger, type LedgerCounts } from "../../database/ledger/counts.ts";
import type { Logger } from "../../observability/logger.ts";
import * as names from "../../observability/metric-names.ts";
import { type Reading, registerGauge } from "../../observability/metrics.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { type GroupStatus, readGroupStatuses } from "../../stream/group-status.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { mayReport, stopReporting } from "../../stream/reporter.ts";

export interface GaugesDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  readonly log: Logger;
  /** This process's own name, unique per start. */
  readonly name: string;
}

const EVERY_MS = 5_000;
/** Counting the ledger takes tens of milliseconds when it is large: not at every turn. */
const LEDGER_EVERY_TURNS = 3;
/** A reporter that died is succeeded after so many turns. */
const HOLD_TURNS = 3;
/** What could not be read for so many turns is no longer shown: no value is better than an old one. */
const STALE_TURNS = 6;

const byGroup = (group: string) => ({ "messaging.consumer.group.name": group });

const lagReadings = ({ group, lag, retriesLag, counted }: GroupStatus): readonly Reading[] =>
  [
    { stream: "events", value: lag ?? counted.lag },
    { stream: "retries", value: retriesLag ?? counted.retriesLag },
  ].flatMap(({ stream, value }) =>
    value === null ? [] : [{ value, attributes: { ...byGroup(group), "signup.stream": stream } }],
  );

/** The gauges of one group, each with what it reads from its status. */
const GROUP_GAUGES: readonly {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly read: (status: GroupStatus) => number;
}[] = [
  {
    name: names.SIGNUP_STREAM_LAG_UNKNOWN,
    unit: "{state}",
    description: "1 while Redis does not know the lag (nil), else 0.",
    read: ({ exists, lag, retriesLag }) =>
      Number((exists.events && lag === null) || (exists.retries && retriesLag === null)),
  },
  {
    name: names.SIGNUP_STREAM_PENDING,
    unit: "{entry}",
    description: "Entries that are read and not acknowledged.",
    read: ({ pending }) => pending,
  },
  {
    name: names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE,
    unit: "s",
    description: "How long the oldest unfinished entry has waited; 0 if there is none.",
    read: ({ oldestUnfinishedMs }) => oldestUnfinishedMs / 1_000,
  },
  {
    name: names.SIGNUP_RETRYING,
    unit: "{entry}",
    description: "Entries delayed until their next attempt.",
    read: ({ waitingRetries }) => waitingRetries,
  },
  { name: names.SIGNUP_DEAD, unit: "{entry}", description: "Dead letters.", read: ({ deadLetters }) => deadLetters },
  {
    name: names.SIGNUP_CONSUMERS,
    unit: "{consumer}",
    description: "Consumers that are registered in the group.",
    read: ({ consumers }) => consumers.length,
  },
  {
    name: names.SIGNUP_PAUSED,
    unit: "{state}",
    description: "1 while the group is paused, else 0.",
    read: ({ paused }) => Number(paused),
  },
  {
    name: names.SIGNUP_GROUP_ORPHANED,
    unit: "{state}",
    description: "1 for an orphaned group, which holds back trimming; else 0.",
    read: ({ orphaned }) => Number(orphaned),
  },
];

/** A value with the time after which it is not shown. */
const kept = <Value>(now: () => number, staleAfterMs: number) => {
  let held: { readonly value: Value; readonly until: number } | undefined;
  return {
    keep: (value: Value) => {
      held = { value, until: now() + staleAfterMs };
    },
    drop: () => {
      held = undefined;
    },
    get: (): Value | undefined => (held !== undefined && now() < held.until ? held.value : undefined),
  };
};

/**
 * Reads the state that all processes share, for the gauges, between collections rather than during them. Each api could
 * tell it; the one that holds `reporter` does, so that the sum over replicas is right. While Redis is away nobody knows who
 * reports: then each tells what waits in the outbox, for that is when it matters.
 */
export const startGauges = (
  { db, redis, keys, groups, log, name }: GaugesDeps,
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  const now = () => performance.now();
  const statuses = kept<readonly GroupStatus[]>(now, STALE_TURNS * everyMs);
  const ledger = kept<LedgerCounts>(now, LEDGER_EVERY_TURNS * STALE_TURNS * everyMs);
  let turns = 0;

  for (const { read, name: gauge, ...options } of GROUP_GAUGES) {
    registerGauge(gauge, options, () =>
      (statuses.get() ?? []).map((status) => ({ value: read(status), attributes: byGroup(status.group) })),
    );
  }
  registerGauge(
    names.SIGNUP_STREAM_LAG,
    {
      unit: "{entry}",
      description: "Entries that the group has not read; where Redis does not know, counted up to 10,000.",
    },
    () => (statuses.get() ?? []).flatMap(lagReadings),
  );
  const fromLedger = (read: (counts: LedgerCounts) => readonly Reading[]) => () => {
    const counts = ledger.get();
    return counts === undefined ? [] : read(counts);
  };
  registerGauge(
    names.SIGNUP_OUTBOX_ROWS,
    { unit: "{event}", description: "Committed signups whose event is not confirmed to be published." },
    fromLedger(({ outbox }) => [{ value: outbox.rows }]),
  );
  registerGauge(
    names.SIGNUP_OUTBOX_OLDEST_AGE,
    { unit: "s", description: "Age of the oldest of them; 0 if there is none." },
    fromLedger(({ outbox }) => [{ value: outbox.oldestAgeMs / 1_000 }]),
  );
  registerGauge(
    names.SIGNUP_DELIVERIES,
    { unit: "{delivery}", description: "Deliveries by group and state, of the latest 100,000." },
    fromLedger(({ byGroup: counts }) =>
      Object.entries(counts).flatMap(([group, byState]) =>
        Object.entries(byState).map(([state, value]) => ({
          value,
          attributes: { ...byGroup(group), "signup.state": state },
        })),
      ),
    ),
  );

  registerGauge(
    names.SIGNUP_HELD,
    { unit: "{delivery}", description: "Held deliveries by group and reason; of a group that holds none, 0." },
    fromLedger(({ held }) =>
      groups.flatMap(({ name: group }) => {
        const own = held.filter((each) => each.group === group);
        if (own.length === 0) return [{ value: 0, attributes: byGroup(group) }];
        return own.map(({ reason, count: value }) => ({
          value,
          attributes: { ...byGroup(group), "signup.reason": reason },
        }));
      }),
    ),
  );

  const readLedger = async (): Promise<void> => {
    if (turns % LEDGER_EVERY_TURNS === 0 || ledger.get() === undefined) ledger.keep(await countLedger(db));
    turns += 1;
  };

  const loop = startLoop({
    name: "gauges",
    log,
    everyMs,
    turn: async () => {
      const mine = await mayReport(redis, keys, name, HOLD_TURNS * everyMs).catch(async (error: unknown) => {
        statuses.drop();
        await readLedger();
        throw error;
      });
      if (!mine) {
        statuses.drop();
        ledger.drop();
        return "idle";
      }
      statuses.keep(await readGroupStatuses(redis, keys, groups));
      await readLedger();
      return "idle";
    },
  });
  return {
    ...loop,
    stop: async () => {
      await loop.stop();
      await stopReporting(redis, keys, name).catch(() => {});
    },
  };
};
