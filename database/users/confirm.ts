import { type Database, statement } from "../connection.ts";
import {
  type BoundGroup,
  type EventRow,
  type LoggedEvent,
  type NewEvent,
  SQL_EVENT_ROW,
  SQL_LOGGED_EVENT,
  sqlWriteEvents,
  toEventRow,
} from "../events.ts";
import { createAwaitRow, sqlLockTimeout } from "../lock-timeout.ts";

/** A link to confirm an address, followed by its owner. */
export interface Confirmation {
  readonly userId: string;
  /** SHA-256 of the token, in hex. */
  readonly tokenHash: string;
  /** What tells of it: `user.email_verified.v1`. */
  readonly event: NewEvent;
}

export type ConfirmResult =
  /** Confirmed by this very call: its event, to be published. */
  | { readonly kind: "confirmed"; readonly event: LoggedEvent }
  | { readonly kind: "confirmed_before" }
  /** The token was used, and the confirmation withdrawn since. */
  | { readonly kind: "used" }
  /** The owner of the address has said that they did not sign up. */
  | { readonly kind: "disowned" }
  | { readonly kind: "no_such_user" };

export type Confirm = (db: Database, confirmation: Confirmation) => Promise<ConfirmResult>;

interface InputRow extends EventRow {
  readonly user_id: string;
  readonly token_hash: string;
}

/**
 * The user's row is the guard: of two calls at the same time, the second waits for it, and finds the address confirmed.
 * So the event is written once.
 */
const confirmOnce = (bindings: readonly BoundGroup[]) =>
  statement<LoggedEvent, [readonly InputRow[], number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (user_id uuid, token_hash text,
      ${SQL_EVENT_ROW})
    where ${sqlLockTimeout("$2")}),
  confirmed as (
    update users set email_verified_at = now(), confirmation_hash = decode(input.token_hash, 'hex')
    from input
    where users.id = input.user_id and users.email_verified_at is null and users.disowned_at is null
      and users.confirmation_hash is distinct from decode(input.token_hash, 'hex')
    returning users.id),
  made as (
    select input.*, now() as created_at from input join confirmed on confirmed.id = input.user_id),
  ${sqlWriteEvents("made", bindings)}
  select ${SQL_LOGGED_EVENT} from made as events`);

const state = statement<{ is_verified: boolean; is_disowned: boolean }, [string]>(`
  select email_verified_at is not null as is_verified, disowned_at is not null as is_disowned
  from users where id = $1::uuid`);

const toRow = ({ userId, tokenHash, event }: Confirmation): InputRow => ({
  user_id: userId,
  token_hash: tokenHash,
  ...toEventRow(event),
});

/** Whether a user's address is confirmed; undefined: there is no such user, or none that could confirm it. */
export const isVerified = async (db: Database, userId: string): Promise<boolean | undefined> => {
  const [user] = await state(db, userId);
  return user?.is_disowned === false ? user.is_verified : undefined;
};

/**
 * Confirms a user's address: user, event, deliveries and outbox row in one statement, or nothing. `bindings`: the groups
 * that get a delivery of the event.
 */
export const createConfirm = (bindings: readonly BoundGroup[]): Confirm => {
  const confirm = confirmOnce(bindings);
  const awaitRow = createAwaitRow();
  return async (db, confirmation) => {
    const [event] = await awaitRow((lockTimeoutMs) => confirm(db, [toRow(confirmation)], lockTimeoutMs));
    if (event !== undefined) return { kind: "confirmed", event };
    const [user] = await state(db, confirmation.userId);
    if (user === undefined) return { kind: "no_such_user" };
    if (user.is_disowned) return { kind: "disowned" };
    return { kind: user.is_verified ? "confirmed_before" : "used" };
  };
};
