import { dropEmails } from "../database/drop-emails.ts";
import { listHeldEmails } from "../database/held-emails.ts";
import { requeueEmails } from "../database/requeue-emails.ts";
import { ledgerEvent } from "../stream/ledger-event.ts";
import { announceState } from "../stream/publish.ts";
import { putEventsInLine } from "../stream/replay-log.ts";
import type { MailGroup, Operator } from "./operator.ts";

/** Mails in one statement. */
const BATCH = 500;

/** What a release did. */
export interface ReleaseReport {
  readonly group: string;
  released: number;
  /** Asked to stop before the end: run it again to go on. */
  stopped: boolean;
}

/**
 * Sends held mails after all: ledger `held` -> `queued` with fresh counters, then an entry into the group's retries. If the
 * process dies in between, the row is `queued` and nowhere, and the reconciler brings it back. `uncertain` stays: it may be
 * a twin.
 */
export const releaseEmails = async (
  operator: Operator,
  group: MailGroup,
  eventIds: readonly string[],
): Promise<readonly string[]> => {
  const { db, redis, keys, at } = operator;
  const rows = await requeueEmails(db, eventIds, { template: group.template, from: "held", reason: "released" });
  const released = rows.filter((row) => row.requeued);
  await at("requeued");
  await putEventsInLine(redis, keys.retries(group.name), released.map(ledgerEvent));
  for (const row of released) announceState(redis, keys.status, row.event_id, "queued");
  return released.map((row) => row.event_id);
};

/** The same for all that are held, in batches. */
export const releaseAll = async (operator: Operator, group: MailGroup): Promise<ReleaseReport> => {
  const report: ReleaseReport = { group: group.name, released: 0, stopped: false };
  let after: string | undefined;
  for (;;) {
    const page = await listHeldEmails(operator.db, { template: group.template, limit: BATCH, after });
    if (page.length === 0) return report;
    if (operator.signal.aborted) return { ...report, stopped: true };
    const released = await releaseEmails(
      operator,
      group,
      page.map((mail) => mail.eventId),
    );
    report.released += released.length;
    operator.onProgress({ done: report.released, noun: "mails" });
    after = page.at(-1)?.eventId;
  }
};

/**
 * Gives held mails up: `dead`, reason `dropped_by_operator`. They get no dead letter, for an operator has just decided;
 * a redrive by event id still brings one back, from the ledger. Returns the ids of those that were held.
 */
export const dropHeld = async (
  operator: Operator,
  group: MailGroup,
  eventIds: readonly string[],
): Promise<readonly string[]> => {
  const { db, redis, keys } = operator;
  const dropped = await dropEmails(db, eventIds, { template: group.template, from: "held" });
  for (const eventId of dropped) announceState(redis, keys.status, eventId, "dead");
  return dropped;
};
