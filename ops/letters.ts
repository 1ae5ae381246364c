import { isUuid } from "../database/uuid.ts";
import { countLetters, findLetters, letterPages, type StoredLetter, wasUnread } from "../stream/dead-letters.ts";
import type { Group } from "../stream/groups.ts";
import type { MailGroup, Operator } from "./operator.ts";

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
 * The event ids of those letters whose mail is in the ledger of the group: not of entries that nobody could read, which
 * may bear the id of somebody else's mail, and not of a group that sends no mail.
 */
export const ledgerIds = (group: Group, letters: readonly StoredLetter[]): readonly string[] =>
  hasLedger(group) ? letters.filter(isLedgerLetter).map((letter) => letter.eventId.toLowerCase()) : [];

export const hasLedger = (group: Group): group is MailGroup => group.template !== undefined;

const isLedgerLetter = (letter: StoredLetter): boolean => !wasUnread(letter) && isUuid(letter.eventId);

/** The key of a letter's mail among rows of the ledger; undefined if it has none there. */
export const ledgerIdOf = (group: Group, letter: StoredLetter): string | undefined => ledgerIds(group, [letter])[0];
