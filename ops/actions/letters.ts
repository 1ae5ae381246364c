import type { DeliveryState } from "../../database/ledger/states.ts";
import { findDeliveryStates } from "../../database/ledger/status.ts";
import { isUuid } from "../../database/uuid.ts";
import {
  countLetters,
  findLetters,
  type LetterRange,
  letterPages,
  type StoredLetter,
} from "../../stream/dead-letters.ts";
import type { Group } from "../../stream/groups.ts";
import type { Description } from "./audited.ts";
import { NotFound, type Operator } from "./operator.ts";

/** When letters were written. */
export interface LetterWindow {
  readonly since?: Date | undefined;
  readonly before?: Date | undefined;
}

/** Which dead letters of a group are meant. */
export type LetterSelection =
  /** By event id or letter id. */
  | { readonly kind: "one"; readonly id: string }
  | ({ readonly kind: "reason"; readonly reason: string } & LetterWindow)
  | ({ readonly kind: "all" } & LetterWindow);

/** Ids of letters begin with the ms of Redis' clock. */
const rangeOf = ({ since, before }: LetterWindow): LetterRange => ({
  ...(since === undefined ? {} : { from: `${since.getTime()}-0` }),
  ...(before === undefined ? {} : { to: `(${before.getTime()}-0` }),
});

/** A selection in the audit log. */
export const selectionArguments = (selection: LetterSelection): NonNullable<Description["arguments"]> => {
  if (selection.kind === "one") return { id: selection.id };
  const window = { since: selection.since?.toISOString(), before: selection.before?.toISOString() };
  return selection.kind === "reason" ? { reason: selection.reason, ...window } : { all: true, ...window };
};

/** The event or letter that is named, if one is. */
export const selectedIds = (selection: LetterSelection): readonly string[] =>
  selection.kind === "one" ? [selection.id] : [];

/** Letters in one batch: one statement, and a few short scripts. */
const BATCH = 500;

/** The selected letters in batches, oldest first; memory does not grow with their number. Ends early on abort. */
export async function* selectedLetters(
  operator: Operator,
  group: Group,
  selection: LetterSelection,
): AsyncGenerator<readonly StoredLetter[]> {
  const { redis, keys, signal, onProgress } = operator;
  if (selection.kind === "one") {
    const found = await findLetters(redis, keys, group.name, selection.id);
    for (let start = 0; start < found.length; start += BATCH) yield found.slice(start, start + BATCH);
    return;
  }
  const total = await countLetters(redis, keys, group.name);
  let done = 0;
  for await (const page of letterPages(redis, keys, group.name, BATCH, rangeOf(selection))) {
    if (signal.aborted) return;
    const chosen = page.filter((letter) => selection.kind === "all" || letter.reason === selection.reason);
    if (chosen.length > 0) yield chosen;
    done += page.length;
    onProgress({ done, total: Math.max(done, total), noun: "letters" });
  }
}

/**
 * The event ids of the letters whose delivery is in the ledger. Left out are entries that could not be read and that the
 * log does not have: their id may be that of somebody else's event.
 */
export const ledgerIds = (letters: readonly StoredLetter[]): readonly string[] =>
  letters.filter((letter) => letter.isInLedger && isUuid(letter.eventId)).map((letter) => letter.eventId.toLowerCase());

/** The id of a letter's delivery in the ledger; undefined if it has none there. */
export const ledgerIdOf = (letter: StoredLetter): string | undefined => ledgerIds([letter])[0];

/** Counts letters by reason, on top of what was counted before. */
export const countReasons = (
  byReason: Record<string, number>,
  letters: readonly { readonly reason: string }[],
): void => {
  for (const { reason } of letters) byReason[reason] = (byReason[reason] ?? 0) + 1;
};

/** A dead letter in a list: without the entry's fields. */
export interface ListedLetter extends Omit<StoredLetter, "fields"> {
  readonly group: string;
}

export interface LetterList {
  /** Letters that match, listed or not. */
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** In order, up to the limit. */
  readonly letters: readonly ListedLetter[];
  /** Where the list goes on; null: it is complete. */
  readonly next: string | null;
}

/** What a list shows. */
export interface ListOptions extends LetterWindow {
  readonly reason?: string | undefined;
  readonly limit: number;
  readonly newestFirst?: boolean | undefined;
  /** `next` of the list before, in the same order. */
  readonly cursor?: string | undefined;
}

/** The place of a letter in a list over several groups. */
const cursorOf = ({ letterId, group }: ListedLetter): string => `${letterId}/${group}`;

/** Orders ids of letters, `ms-sequence`, and groups after that. */
const inOrder = (left: ListedLetter, right: ListedLetter): number => {
  const [leftMs = 0, leftSequence = 0] = left.letterId.split("-").map(Number);
  const [rightMs = 0, rightSequence = 0] = right.letterId.split("-").map(Number);
  return leftMs - rightMs || leftSequence - rightSequence || (left.group < right.group ? -1 : 1);
};

const CURSOR = /^(\d+-\d+)\/(.+)$/;

/** The letters of a group that come after a cursor. */
const afterCursor = (cursor: string, group: string, newestFirst: boolean): LetterRange => {
  const [, id = "", last = ""] = CURSOR.exec(cursor) ?? [];
  // Of the letters with the same id, those of the groups up to its own were shown.
  const wasShown = newestFirst ? group >= last : group <= last;
  const bound = wasShown ? `(${id}` : id;
  return newestFirst ? { to: bound } : { from: bound };
};

/** Lists the dead letters of groups in the order of their deaths, and counts all that match by reason. Stops early on abort. */
export const listLetters = async (
  operator: Operator,
  groups: readonly Group[],
  { reason, limit, newestFirst = false, cursor, ...window }: ListOptions,
): Promise<LetterList> => {
  const { redis, keys, signal, onProgress } = operator;
  const found: ListedLetter[] = [];
  const byReason: Record<string, number> = {};
  const known = new Set<string>();
  let total = 0;
  let stored = 0;
  let done = 0;
  for (const { name } of groups) stored += await countLetters(redis, keys, name);
  for (const { name } of groups) {
    let ofGroup = 0;
    const after = cursor === undefined ? {} : afterCursor(cursor, name, newestFirst);
    for await (const page of letterPages(redis, keys, name, BATCH, { ...rangeOf(window), ...after, newestFirst })) {
      if (signal.aborted) break;
      for (const { fields: _, ...letter } of page) {
        known.add(letter.reason);
        if (reason !== undefined && letter.reason !== reason) continue;
        total += 1;
        countReasons(byReason, [letter]);
        // One more than is shown: then there is a next page.
        if (ofGroup <= limit) found.push({ group: name, ...letter });
        ofGroup += 1;
      }
      done += page.length;
      onProgress({ done, total: Math.max(done, stored), noun: "letters" });
    }
  }
  if (reason !== undefined && total === 0 && known.size > 0) throw unknownReason(reason, known);
  found.sort((left, right) => (newestFirst ? inOrder(right, left) : inOrder(left, right)));
  const letters = found.slice(0, limit);
  const last = letters.at(-1);
  return { total, byReason, letters, next: found.length > limit && last !== undefined ? cursorOf(last) : null };
};

const unknownReason = (reason: string, known: Iterable<string>): NotFound =>
  new NotFound(`no dead letter has the reason ${reason}; there are: ${[...known].sort().join(", ")}`);

/**
 * Counts the letters that a selection means.
 *
 * @throws {NotFound} naming the reasons that there are, if none has the one that is selected
 */
export const countSelected = async (
  operator: Operator,
  groups: readonly Group[],
  selection: LetterSelection,
): Promise<number> => {
  if (selection.kind === "one") return 1;
  const { kind: _, ...rest } = selection;
  return (await listLetters(operator, groups, { ...rest, limit: 0 })).total;
};

/** A dead letter in full. */
export interface ShownLetter extends Omit<StoredLetter, "fields"> {
  readonly group: string;
  /** The entry's fields in pairs: a name may occur twice. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The state of its delivery in the ledger; null if the ledger has none. */
  readonly ledgerState: DeliveryState | null;
}

const pairsOf = (fields: readonly string[]): ShownLetter["fields"] =>
  Array.from({ length: Math.floor(fields.length / 2) }, (_, index) => [
    fields[2 * index] ?? "",
    fields[2 * index + 1] ?? "",
  ]);

/** The dead letters of an event id or letter id, in full. */
export const showLetters = async (
  { db, redis, keys }: Operator,
  groups: readonly Group[],
  id: string,
): Promise<readonly ShownLetter[]> => {
  const found: ShownLetter[] = [];
  for (const group of groups) {
    const letters = await findLetters(redis, keys, group.name, id);
    const states = await findDeliveryStates(db, ledgerIds(letters), group.name);
    for (const letter of letters) {
      const { fields, ...rest } = letter;
      const ledgerState = states.get(ledgerIdOf(letter) ?? "") ?? null;
      found.push({ group: group.name, ...rest, fields: pairsOf(fields), ledgerState });
    }
  }
  return found;
};
