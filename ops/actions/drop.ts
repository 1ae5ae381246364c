import { discardDeliveries } from "../../database/ledger/discard.ts";
import type { Group } from "../../stream/groups.ts";
import { dropLetters } from "../../stream/scripts/drop-letters.ts";
import { audited } from "./audited.ts";
import {
  countReasons,
  type LetterSelection,
  ledgerIds,
  selectedIds,
  selectedLetters,
  selectionArguments,
} from "./letters.ts";
import type { Operator } from "./operator.ts";

export interface DropOptions {
  readonly dryRun?: boolean;
}

/** What a drop did, or would do. */
export interface DropReport {
  readonly group: string;
  readonly dryRun: boolean;
  /** Letters that were selected. */
  letters: number;
  /** Letters that this drop deleted; fewer than selected if another operator was faster. */
  dropped: number;
  /** Asked to stop before the end: run it again to continue. */
  stopped: boolean;
  readonly byReason: Record<string, number>;
}

const dropSelected = async (
  operator: Operator,
  group: Group,
  selection: LetterSelection,
  { dryRun = false }: DropOptions = {},
): Promise<DropReport> => {
  const { db, redis, keys, at, signal } = operator;
  const stored = { dead: keys.dead(group.name), deadIndex: keys.deadIndex(group.name) };
  const report: DropReport = { group: group.name, dryRun, letters: 0, dropped: 0, stopped: false, byReason: {} };
  for await (const letters of selectedLetters(operator, group, selection)) {
    report.letters += letters.length;
    countReasons(report.byReason, letters);
    if (dryRun) continue;
    await discardDeliveries(db, ledgerIds(letters), { group: group.name, from: "dead" });
    await at("dropped");
    report.dropped += await dropLetters(
      redis,
      stored,
      letters.map((letter) => letter.letterId),
    );
  }
  report.stopped = signal.aborted;
  return report;
};

/**
 * Deletes dead letters for good. Their deliveries stay `dead` in the ledger, reason `dropped_by_operator`, with a step in the
 * timeline that says who gave them up. Ledger first: if the process dies before the letters are deleted, dropping them again adds a second step.
 */
export const drop = audited({
  name: "dead drop",
  describe: ([group, selection]) => ({ group: group.name, arguments: selectionArguments(selection) }),
  isDry: ([, , options]) => options?.dryRun === true,
  run: dropSelected,
  resultOf: ({ dropped, stopped }, [, selection]) => ({
    affected: dropped,
    stopped,
    eventIds: selectedIds(selection),
  }),
});
