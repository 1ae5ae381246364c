import type { Redis } from "ioredis";
import type { HeldEntry } from "../entries.ts";
import source from "./dead-letter.lua" with { type: "text" };
import rights from "./rights.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(rights + source);

/** Why an entry is dead-lettered, and all that a redrive needs. Times are ISO 8601. */
export interface NewLetter {
  /** '' when the entry had none. */
  readonly eventId: string;
  /** Whether it is indexed: only events in the ledger are, with one letter each. */
  readonly indexed: boolean;
  /** One word, to select by: `no_such_address`, `retries_exhausted`, `malformed`, ... */
  readonly reason: string;
  /** Reply or error of the last attempt, addresses removed. */
  readonly detail: string;
  readonly attempts: number;
  readonly firstFailureAt: string;
  readonly lastFailureAt: string;
  /** All raw fields and values of the entry. */
  readonly fields: readonly string[];
}

/** Acks an entry and adds its dead letter. False if it is no longer this consumer's. */
export const deadLetter = async (
  redis: Redis,
  entry: HeldEntry,
  keys: { readonly dead: string; readonly deadIndex: string },
  letter: NewLetter,
): Promise<boolean> => {
  const fields = [
    ...["event_id", letter.eventId],
    ...["reason", letter.reason],
    ...["detail", letter.detail],
    ...["attempts", String(letter.attempts)],
    ...["in_ledger", letter.indexed ? "1" : "0"],
    ...["first_failure_at", letter.firstFailureAt],
    ...["last_failure_at", letter.lastFailureAt],
    ...["group", entry.group],
    ...["consumer", entry.consumer],
    ...["stream", entry.stream],
    ...["entry_id", entry.entryId],
    ...["fields", JSON.stringify(letter.fields)],
  ];
  const result = await runScript(
    redis,
    script,
    [entry.stream, keys.dead, keys.deadIndex],
    [entry.group, entry.consumer, entry.entryId, letter.indexed ? letter.eventId : "", ...fields],
  );
  return result !== 0;
};
