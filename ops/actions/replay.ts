import { type EmailState, isFinal } from "../../database/email-state.ts";
import { findEmailStates } from "../../database/email-states.ts";
import { isUuid } from "../../database/uuid.ts";
import { type Entry, fieldsOf } from "../../stream/entries.ts";
import { bindingOf, type Group } from "../../stream/groups.ts";
import { logPages, newestEntryId, putInLine } from "../../stream/replay-log.ts";
import { hasLedger } from "./letters.ts";
import type { Operator } from "./operator.ts";

/** Entries in one batch. */
const BATCH = 500;

/** What a replay did, or would do. */
export interface ReplayReport {
  readonly group: string;
  readonly dryRun: boolean;
  /** First and last id of the range. */
  readonly from: string;
  readonly to: string;
  /** Entries of the log that were read. */
  read: number;
  /** Published to the group's retries stream. */
  replayed: number;
  /** Left out because the mail is final or held, by state. */
  readonly closed: Partial<Record<EmailState, number>>;
  /** Of a type that the group does not handle, or not an event. */
  notItsOwn: number;
  /** The last entry that was read: where to continue after a stop. */
  lastId: string | null;
  stopped: boolean;
}

const eventIdOf = (entry: Entry): string | undefined => {
  const id = fieldsOf(entry.raw ?? [])["id"];
  return id !== undefined && isUuid(id) ? id.toLowerCase() : undefined;
};

/**
 * Reads the log again for one group: publishes the entries of a range to its retries stream, which no other group reads.
 * Mails that are final or held are left out, and the others are guarded by their claim: a replay makes no duplicates.
 */
export const replay = async (
  operator: Operator,
  group: Group,
  range: { readonly from: string; readonly to?: string | undefined },
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<ReplayReport> => {
  const { db, redis, keys, signal, onProgress } = operator;
  // The end is fixed now: the group reads anyway what is published from here on.
  const to = range.to ?? (await newestEntryId(redis, keys.events)) ?? "+";
  const report: ReplayReport = {
    group: group.name,
    dryRun,
    from: range.from,
    to,
    read: 0,
    replayed: 0,
    closed: {},
    notItsOwn: 0,
    lastId: null,
    stopped: false,
  };
  for await (const page of logPages(redis, keys.events, { from: range.from, to }, BATCH)) {
    if (signal.aborted) return { ...report, stopped: true };
    const own = page.filter(
      (entry) =>
        eventIdOf(entry) !== undefined && bindingOf(group, fieldsOf(entry.raw ?? [])["type"] ?? "") === "handled",
    );
    const states = hasLedger(group)
      ? await findEmailStates(
          db,
          own.flatMap((entry) => eventIdOf(entry) ?? []),
          group.template,
        )
      : new Map<string, EmailState>();
    const open: Entry[] = [];
    for (const entry of own) {
      const state = states.get(eventIdOf(entry) ?? "");
      if (state !== undefined && (isFinal(state) || state === "held")) {
        report.closed[state] = (report.closed[state] ?? 0) + 1;
      } else {
        open.push(entry);
      }
    }
    if (!dryRun) {
      await putInLine(
        redis,
        keys.retries(group.name),
        open.flatMap((entry) => (entry.raw === undefined ? [] : [entry.raw])),
      );
    }
    report.read += page.length;
    report.replayed += open.length;
    report.notItsOwn += page.length - own.length;
    report.lastId = page.at(-1)?.id ?? report.lastId;
    onProgress({ done: report.read, noun: "entries read" });
  }
  return report;
};
