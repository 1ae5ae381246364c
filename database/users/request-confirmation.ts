import { createHash } from "node:crypto";
import { type Database, statement } from "../connection.ts";
import { type BoundGroup, type LoggedEvent, type NewEvent, SQL_LOGGED_EVENT, sqlWriteEvents } from "../events.ts";
import { createAwaitRow, sqlLockTimeout } from "../lock-timeout.ts";

/** Somebody asks for another mail to confirm an address. */
export interface ConfirmationRequest {
  /** `comparisonKey` of the address. */
  readonly emailKey: string;
  /** UUIDv7; stands for the user if nobody has the address. */
  readonly standIn: string;
  /** `user.confirmation_requested.v1`; its subject and data follow from the address. */
  readonly event: Omit<NewEvent, "subject" | "data">;
}

/** The event, to be published; undefined: the address has had as many as it may. */
export type RequestConfirmation = (db: Database, request: ConfirmationRequest) => Promise<LoggedEvent | undefined>;

interface InputRow {
  readonly address_hash: string;
  readonly email_key: string;
  readonly stand_in: string;
  readonly event_id: string;
  readonly type: string;
  readonly traceparent: string;
  readonly tracestate: string | null;
}

const MAX_PER_DAY = 5;

/** Whether the address has a row whose day is over. */
const DAY_IS_OVER = "requests.day_began_at <= now() - interval '1 day'";

/**
 * The limit, one a minute and five a day for each address, is the upsert of its row: two requests at the same time wait for
 * each other. The same rows are written whether there is such a user or not, so the time that it takes says nothing.
 */
const requestOnce = (bindings: readonly BoundGroup[]) =>
  statement<LoggedEvent, [readonly InputRow[], number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (address_hash text, email_key text, stand_in uuid, event_id uuid,
      type text, traceparent text, tracestate text)
    where ${sqlLockTimeout("$2")}),
  granted as (
    insert into confirmation_requests as requests (address_hash, last_at, day_began_at, in_day)
    select decode(address_hash, 'hex'), now(), now(), 1 from input
    on conflict (address_hash) do update set
      last_at = now(),
      day_began_at = case when ${DAY_IS_OVER} then now() else requests.day_began_at end,
      in_day = case when ${DAY_IS_OVER} then 1 else requests.in_day + 1 end
    where requests.last_at <= now() - interval '1 minute'
      and (${DAY_IS_OVER} or requests.in_day < ${MAX_PER_DAY})
    returning 1),
  addressed as (
    select input.*, coalesce(users.id, input.stand_in) as user_id, coalesce(users.locale, 'vi') as locale
    from input left join users on users.email_key = input.email_key
    where exists (select 1 from granted)),
  made as (
    select event_id, type, user_id::text as subject,
      jsonb_build_object('user_id', user_id, 'locale', locale) as data, traceparent, tracestate, now() as created_at
    from addressed),
  ${sqlWriteEvents("made", bindings)}
  select ${SQL_LOGGED_EVENT} from made as events`);

/** Writes limit, event, deliveries and outbox row in one statement. `bindings`: the groups that get a delivery. */
export const createRequestConfirmation = (bindings: readonly BoundGroup[]): RequestConfirmation => {
  const request = requestOnce(bindings);
  const awaitRow = createAwaitRow();
  return async (db, { emailKey, standIn, event }) => {
    const row = {
      address_hash: createHash("sha256").update(emailKey).digest("hex"),
      email_key: emailKey,
      stand_in: standIn,
      event_id: event.eventId,
      type: event.type,
      traceparent: event.traceparent,
      tracestate: event.tracestate ?? null,
    };
    return (await awaitRow((lockTimeoutMs) => request(db, [row], lockTimeoutMs)))[0];
  };
};

const remove = statement<{ last_at: Date }, [number]>(`
  delete from confirmation_requests where address_hash in (
    select address_hash from confirmation_requests where last_at < now() - interval '1 day'
    order by last_at limit $1::int for update skip locked)
  returning last_at`);

/** Deletes limits that no longer limit anything, at most `limit`; returns how many. */
export const deleteOldRequests = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
