import { discardDeliveries } from "../../database/ledger/discard.ts";
import { listHeldDeliveries } from "../../database/ledger/held.ts";
import { requeueDeliveries } from "../../database/ledger/requeue.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import type { Group } from "../../stream/groups.ts";
import { publishStates } from "../../stream/publish.ts";
import { audited, type Description } from "./audited.ts";
import type { Operator } from "./operator.ts";

/** Deliveries in one statement. */
const BATCH = 500;

/** What a release did. */
export interface ReleaseReport {
  readonly group: string;
  released: number;
  /** Asked to stop before the end: run it again to continue. */
  stopped: boolean;
}

const release = async (
  { db, redis, keys, at }: Operator,
  group: Group,
  eventIds: readonly string[],
): Promise<readonly string[]> => {
  const rows = await requeueDeliveries(db, eventIds, { group: group.name, from: "held", reason: "released" });
  const released = rows.filter((row) => row.requeued);
  await at("requeued");
  await enqueueLogged(redis, keys.retriesStream(group.name), released);
  const releasedIds = released.map((row) => row.event_id);
  publishStates(redis, keys.status, releasedIds, "queued");
  return releasedIds;
};

const describeNamed = ([group, eventIds]: readonly [group: Group, eventIds: readonly string[]]): Description => ({
  group: group.name,
  arguments: { events: eventIds.length },
});

/**
 * Has held work done after all: ledger `held` -> `queued` with fresh counters, then publishes an entry to the group's
 * retries. If the process dies in between, the row is `queued` without an entry, and the reconciler publishes it.
 * `uncertain` keeps its count: it may be a duplicate. Returns the ids of those that were held.
 */
export const releaseHeld = audited({
  name: "held release",
  describe: describeNamed,
  run: release,
  resultOf: (released) => ({ affected: released.length, eventIds: released }),
});

const releasePages = async (operator: Operator, group: Group, reason?: string): Promise<ReleaseReport> => {
  const report: ReleaseReport = { group: group.name, released: 0, stopped: false };
  let after: string | undefined;
  for (;;) {
    const page = await listHeldDeliveries(operator.db, { group: group.name, limit: BATCH, after, reason });
    if (page.length === 0) return report;
    if (operator.signal.aborted) return { ...report, stopped: true };
    const released = await release(
      operator,
      group,
      page.map((delivery) => delivery.eventId),
    );
    report.released += released.length;
    operator.onProgress({ done: report.released, noun: "deliveries" });
    after = page.at(-1)?.eventId;
  }
};

/** Releases all that a group holds, in batches. */
export const releaseAll = audited({
  name: "held release",
  describe: ([group, reason]) => ({ group: group.name, arguments: reason === undefined ? { all: true } : { reason } }),
  run: releasePages,
  resultOf: ({ released, stopped }) => ({ affected: released, stopped }),
});

/**
 * Gives up what is held: `dead`, reason `dropped_by_operator`. They get no dead letter, since an operator has just decided;
 * a redrive by event id still brings one back, from the ledger. Returns the ids of those that were held.
 */
export const dropHeld = audited({
  name: "held drop",
  describe: describeNamed,
  async run({ db, redis, keys }: Operator, group: Group, eventIds: readonly string[]): Promise<readonly string[]> {
    const dropped = await discardDeliveries(db, eventIds, { group: group.name, from: "held" });
    publishStates(redis, keys.status, dropped, "dead");
    return dropped;
  },
  resultOf: (dropped) => ({ affected: dropped.length, eventIds: dropped }),
});
