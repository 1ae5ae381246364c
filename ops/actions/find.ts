import { type FoundSignup, findSignups } from "../../database/find-signup.ts";
import { untilReady } from "../../stream/connection.ts";
import { indexedLetter } from "../../stream/dead-letters.ts";
import { GROUPS } from "../../stream/groups.ts";
import { masked, maskedAddress } from "./mask.ts";
import type { Operator } from "./operator.ts";

const LIMIT = 20;
const REDIS_WITHIN_MS = 1_000;

/** A signup with everything that an operator asks about it. */
export interface SignupDetails extends FoundSignup {
  /** Id of the event's dead letter, by group. */
  readonly deadLetters: Readonly<Record<string, string>>;
}

/** Only Redis knows where the letter is. When Redis is away, the ledger alone answers. */
const lettersOf = async (
  { redis, keys }: Pick<Operator, "redis" | "keys">,
  eventId: string,
): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  if (!(await untilReady(redis, REDIS_WITHIN_MS))) return found;
  for (const { name } of GROUPS) {
    const letterId = await indexedLetter(redis, keys, name, eventId).catch(() => undefined);
    if (letterId !== undefined) found[name] = letterId;
  }
  return found;
};

const withoutPersonal = (signup: FoundSignup): FoundSignup => ({
  ...signup,
  userName: signup.userName === null ? null : masked(signup.userName),
  email: signup.email === null ? null : maskedAddress(signup.email),
});

/** Finds signups by event id, user id, address or user name: at most 20, the latest first. Masked unless asked otherwise. */
export const find = async (
  operator: Pick<Operator, "db" | "redis" | "keys">,
  wanted: string,
  { showAddress = false }: { readonly showAddress?: boolean | undefined } = {},
): Promise<readonly SignupDetails[]> =>
  Promise.all(
    (await findSignups(operator.db, wanted, LIMIT)).map(async (signup) => ({
      ...(showAddress ? signup : withoutPersonal(signup)),
      deadLetters: signup.mail === null ? {} : await lettersOf(operator, signup.mail.eventId),
    })),
  );
