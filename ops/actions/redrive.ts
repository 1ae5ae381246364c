import { type RequeuedDelivery, requeueDeliveries } from "../../database/ledger/requeue.ts";
import { type DeliveryState, isFinal } from "../../database/ledger/states.ts";
import { findDeliveryStates } from "../../database/ledger/status.ts";
import { findSuppressedEvents } from "../../database/users/suppressed-events.ts";
import { isUuid } from "../../database/uuid.ts";
import type { StoredLetter } from "../../stream/dead-letters.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import type { Group } from "../../stream/groups.ts";
import { publishStates } from "../../stream/publish.ts";
import { dropLetters } from "../../stream/scripts/drop-letters.ts";
import { redriveLetters } from "../../stream/scripts/redrive.ts";
import { audited } from "./audited.ts";
import {
  countReasons,
  type LetterSelection,
  ledgerIdOf,
  ledgerIds,
  selectedIds,
  selectedLetters,
  selectionArguments,
} from "./letters.ts";
import type { Operator } from "./operator.ts";

/*
 * The order of writes. If the process dies after a step, the next one sees:
 *
 * | step                                              | the next process sees                                         |
 * | ------------------------------------------------- | ------------------------------------------------------------- |
 * | ledger `dead` -> `queued`, counters reset         | `queued` without an entry: the reconciler publishes it. The   |
 * | (`requeued`)                                      | letter is still there: redriven while the delivery is open,   |
 * |                                                   | it becomes a second entry, and only the one that claims the   |
 * |                                                   | delivery does the work; redriven after it is done, it is      |
 * |                                                   | deleted                                                       |
 * | one script: XDEL from dead, index entry deleted,  | nothing unfinished: the script is atomic, and a letter that   |
 * | XADD to retries                                   | is gone is not published again                                |
 */

export interface RedriveOptions {
  readonly dryRun?: boolean;
}

/** What a redrive did, or would do. */
export interface RedriveReport {
  readonly group: string;
  readonly dryRun: boolean;
  /** Letters that were selected. */
  letters: number;
  /** Deliveries that were `dead` and are `queued` again. */
  redriven: number;
  /** Entries republished as they were: the ledger does not know them, or their delivery is not final. */
  returned: number;
  /** Letters that were only deleted: their delivery is done or closed since. */
  settled: number;
  /** Letters that stay: the address is suppressed, so that nothing would be sent. */
  suppressed: number;
  /** Letters that another operator redrove or dropped first. */
  gone: number;
  /** Letters that hold no entry; they stay. */
  unreadable: number;
  /** Asked to stop before the end: run it again to continue. */
  stopped: boolean;
  readonly byReason: Record<string, number>;
}

const emptyReport = (group: Group, dryRun: boolean): RedriveReport => ({
  group: group.name,
  dryRun,
  letters: 0,
  redriven: 0,
  returned: 0,
  settled: 0,
  suppressed: 0,
  gone: 0,
  unreadable: 0,
  stopped: false,
  byReason: {},
});

type Fate = "redrive" | "return" | "settle" | "stay";

/** What happens to a letter whose delivery was in this state; undefined: the ledger has none for it. */
export const fateOf = (was: DeliveryState | undefined, isSuppressed = false): Fate => {
  if (was === undefined) return "return";
  if (was === "dead") return isSuppressed ? "stay" : "redrive";
  return isFinal(was) || was === "held" ? "settle" : "return";
};

const tally = (report: RedriveReport, letters: readonly StoredLetter[]): void => {
  report.letters += letters.length;
  countReasons(report.byReason, letters);
};

/** The ids of those letters whose address is suppressed: queued again, they would end without a mail and without a letter. */
const suppressedAmong = async (
  { db }: Pick<Operator, "db">,
  group: Group,
  letters: readonly StoredLetter[],
): Promise<ReadonlySet<string>> =>
  group.sendsMail === true ? findSuppressedEvents(db, ledgerIds(letters)) : new Set<string>();

const planBatch = async (
  operator: Operator,
  group: Group,
  letters: readonly StoredLetter[],
  report: RedriveReport,
): Promise<void> => {
  const states = await findDeliveryStates(operator.db, ledgerIds(letters), group.name);
  const suppressed = await suppressedAmong(operator, group, letters);
  for (const letter of letters) {
    const id = ledgerIdOf(letter) ?? "";
    const fate = fateOf(states.get(id), suppressed.has(id));
    if (fate === "stay") report.suppressed += 1;
    else if (fate === "redrive") report.redriven += 1;
    else if (fate === "return") report.returned += 1;
    else report.settled += 1;
  }
};

const redriveBatch = async (
  operator: Operator,
  group: Group,
  selected: readonly StoredLetter[],
  report: RedriveReport,
): Promise<void> => {
  const { db, redis, keys, at } = operator;
  const suppressed = await suppressedAmong(operator, group, selected);
  const stays = (letter: StoredLetter) => suppressed.has(ledgerIdOf(letter) ?? "");
  const letters = selected.filter((letter) => !stays(letter));
  report.suppressed += selected.length - letters.length;
  const stored = { dead: keys.dead(group.name), deadIndex: keys.deadIndex(group.name) };
  const retriesStream = keys.retriesStream(group.name);
  const options = { group: group.name, from: "dead", reason: "redriven" } as const;
  const rows = await requeueDeliveries(db, ledgerIds(letters), options);
  await at("requeued");
  const requeued = rows.filter((row) => row.requeued).map((row) => row.event_id);
  publishStates(redis, keys.status, requeued, "queued");

  const byEvent = new Map<string, RequeuedDelivery>(rows.map((row) => [row.event_id, row]));
  const rowOf = (letter: StoredLetter) => byEvent.get(ledgerIdOf(letter) ?? "");
  const settled = letters.filter((letter) => fateOf(rowOf(letter)?.was) === "settle");
  const moving = letters.filter((letter) => fateOf(rowOf(letter)?.was) !== "settle");
  report.settled += await dropLetters(redis, stored, idsOf(settled));

  const results = await redriveLetters(redis, { ...stored, retriesStream }, idsOf(moving));
  for (const [index, letter] of moving.entries()) {
    const row = rowOf(letter);
    const isRedriven = row?.requeued === true;
    const result = results[index] ?? "gone";
    if (result === "gone") {
      report.gone += 1;
    } else if (result === "unreadable" && row === undefined) {
      report.unreadable += 1;
    } else {
      if (result === "unreadable" && row !== undefined) {
        // The letter has lost its entry; the event is rebuilt from the ledger.
        await enqueueLogged(redis, retriesStream, [row]);
        await dropLetters(redis, stored, [letter.letterId]);
      }
      report[isRedriven ? "redriven" : "returned"] += 1;
    }
  }
};

const idsOf = (letters: readonly StoredLetter[]): string[] => letters.map((letter) => letter.letterId);

/** Redrives a dead delivery whose letter Redis has lost, from the ledger alone. */
const redriveFromLedger = async (
  operator: Operator,
  group: Group,
  id: string,
  report: RedriveReport,
): Promise<void> => {
  const { db, redis, keys, at } = operator;
  if (!isUuid(id)) return;
  if (report.dryRun) {
    const state = (await findDeliveryStates(db, [id], group.name)).get(id.toLowerCase());
    if (state === "dead") report.redriven += 1;
    return;
  }
  for (const row of await requeueDeliveries(db, [id], { group: group.name, from: "dead", reason: "redriven" })) {
    if (!row.requeued) continue;
    await at("requeued");
    await enqueueLogged(redis, keys.retriesStream(group.name), [row]);
    publishStates(redis, keys.status, [row.event_id], "queued");
    report.redriven += 1;
  }
};

const redriveSelected = async (
  operator: Operator,
  group: Group,
  selection: LetterSelection,
  { dryRun = false }: RedriveOptions = {},
): Promise<RedriveReport> => {
  const report = emptyReport(group, dryRun);
  for await (const letters of selectedLetters(operator, group, selection)) {
    tally(report, letters);
    await (dryRun ? planBatch : redriveBatch)(operator, group, letters, report);
  }
  report.stopped = operator.signal.aborted;
  if (selection.kind === "one" && report.letters === 0) {
    await redriveFromLedger(operator, group, selection.id, report);
  }
  return report;
};

/**
 * Queues dead letters of a group again, each once, however many operators do it at the same time: deliveries that were
 * `dead` are `queued` with fresh counters, entries that could not be read are republished as they were. It works in batches, so
 * that a long one can be stopped and run again.
 */
export const redrive = audited({
  name: "dead retry",
  describe: ([group, selection]) => ({
    group: group.name,
    arguments: selectionArguments(selection),
  }),
  isDry: ([, , options]) => options?.dryRun === true,
  run: redriveSelected,
  resultOf: ({ redriven, returned, settled, stopped }, [, selection]) => ({
    affected: redriven + returned + settled,
    stopped,
    eventIds: selectedIds(selection),
  }),
});
