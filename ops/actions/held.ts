import { dropEmails } from "../../database/drop-emails.ts";
import { type HeldEmail, listHeldEmails } from "../../database/held-emails.ts";
import { requeueEmails } from "../../database/requeue-emails.ts";
import type { Group } from "../../stream/groups.ts";
import { ledgerEvent } from "../../stream/ledger-event.ts";
import { announceState, publish } from "../../stream/publish.ts";
import { type MailGroup, mailGroups, type Operator } from "./operator.ts";

/** Mails in one statement. */
const BATCH = 500;

/** What a release did. */
export interface ReleaseReport {
  readonly group: string;
  released: number;
  /** Asked to stop before the end: run it again to continue. */
  stopped: boolean;
}

/** A held mail, and the group that was to send it. */
export interface ListedMail extends HeldEmail {
  readonly group: string;
}

/** The held mails of groups, up to a limit. */
export const listHeld = async (
  { db }: Pick<Operator, "db">,
  groups: readonly Group[],
  limit: number,
): Promise<readonly ListedMail[]> => {
  const mails: ListedMail[] = [];
  for (const { name, template } of mailGroups(groups)) {
    const found = await listHeldEmails(db, { template, limit: limit - mails.length });
    mails.push(...found.map((mail) => ({ group: name, ...mail })));
    if (mails.length >= limit) break;
  }
  return mails;
};

/**
 * Sends held mails after all: ledger `held` -> `queued` with fresh counters, then publishes an entry to the group's
 * retries. If the process dies in between, the row is `queued` without an entry, and the reconciler publishes it.
 * `uncertain` keeps its count: the mail may be a duplicate. Returns the ids of those that were held.
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
  await Promise.all(released.map((row) => publish(redis, keys.retries(group.name), ledgerEvent(row))));
  for (const row of released) announceState(redis, keys.status, row.event_id, "queued");
  return released.map((row) => row.event_id);
};

/** Releases all held mails of a group, in batches. */
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
 * Gives up held mails: `dead`, reason `dropped_by_operator`. They get no dead letter, since an operator has just decided;
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
