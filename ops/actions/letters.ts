import type { DeliveryState } from "../../database/ledger/states.ts";
import { findDeliveryStates } from "../../database/ledger/status.ts";
import { isUuid } from "../../database/uuid.ts";
import { countLetters, findLetters, letterPages, type StoredLetter } from "../../stream/dead-letters.ts";
import type { Group } from "../../stream/groups.ts";
import type { Operator } from "./operator.ts";

/** Which dead letters of a group are meant. */
export type LetterSelection =
  /** By event id or letter id. */
  | { readonly kind: "one"; readonly id: string }
  | { readonly kind: "reason"; readonly reason: string }
  | { readonly kind: "all" };

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
  for await (const page of letterPages(redis, keys, group.name, BATCH)) {
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
  /** The oldest ones, up to the limit. */
  readonly letters: readonly ListedLetter[];
}

/** Lists the dead letters of groups, oldest first, and counts them by reason. Stops early on abort. */
export const listLetters = async (
  operator: Operator,
  groups: readonly Group[],
  { reason, limit }: { readonly reason?: string | undefined; readonly limit: number },
): Promise<LetterList> => {
  const { redis, keys, signal, onProgress } = operator;
  const letters: ListedLetter[] = [];
  const byReason: Record<string, number> = {};
  let total = 0;
  let stored = 0;
  let done = 0;
  for (const { name } of groups) stored += await countLetters(redis, keys, name);
  for (const { name } of groups) {
    for await (const page of letterPages(redis, keys, name, BATCH)) {
      if (signal.aborted) break;
      for (const { fields: _, ...letter } of page) {
        if (reason !== undefined && letter.reason !== reason) continue;
        total += 1;
        countReasons(byReason, [letter]);
        if (letters.length < limit) letters.push({ group: name, ...letter });
      }
      done += page.length;
      onProgress({ done, total: Math.max(done, stored), noun: "letters" });
    }
  }
  return { total, byReason, letters };
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
