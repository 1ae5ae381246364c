import { type Database, statement } from "../connection.ts";
import { type BoundGroup, type EventRow, type NewEvent, SQL_EVENT_ROW, sqlWriteEvents, toEventRow } from "../events.ts";
import { sqlLockTimeout } from "../lock-timeout.ts";
import { createSharedWriter } from "../shared-write.ts";

/** Everything that a signup writes, already validated, normalised and hashed. */
export interface NewSignup {
  /** UUIDv7 */
  readonly userId: string;
  /** The event: `user.signed_up.v1`. */
  readonly event: NewEvent;
  readonly userName: string;
  readonly userNameKey: string;
  readonly email: string;
  readonly emailKey: string;
  /** argon2id, PHC string. */
  readonly passwordHash: string;
  readonly locale: string;
  /** SHA-256 of the client's Idempotency-Key, in hex. */
  readonly idempotencyKeyHash?: string;
}

export type SignupResult =
  | { readonly kind: "created"; readonly createdAt: Date }
  | { readonly kind: "email_taken" }
  | { readonly kind: "user_name_taken" }
  /** Another signup was made under this Idempotency-Key: see `findByIdempotencyKey`. */
  | { readonly kind: "idempotency_key_used" };

export interface SignupWriter {
  /**
   * Writes user, event, deliveries and outbox row, or nothing. Signups that arrive while a statement runs share the next.
   *
   * @throws the driver's error if the database is unavailable or refuses this row; never because of another row
   */
  write(signup: NewSignup): Promise<SignupResult>;
  /** Resolves when no signup is queued or in flight. */
  idle(): Promise<void>;
}

const MAX_ROUNDS = 3;

interface InputRow extends EventRow {
  readonly user_id: string;
  readonly user_name: string;
  readonly user_name_key: string;
  readonly email: string;
  readonly email_key: string;
  readonly password_hash: string;
  readonly locale: string;
  readonly key_hash: string | null;
}

const INPUT = `input as (
    select * from json_to_recordset($1::json) as row (
      user_id uuid, user_name text, user_name_key text, email text, email_key text, password_hash text, locale text,
      key_hash text, ${SQL_EVENT_ROW})
    where ${sqlLockTimeout("$2")})`;

/**
 * One statement for user, event, deliveries and outbox. The unique indexes decide what is taken, also within one batch. Rows
 * are sorted, so that two batches wait for each other rather than deadlock. A used Idempotency-Key leaves its row out.
 */
const insertSignups = (bindings: readonly BoundGroup[]) =>
  statement<{ user_id: string; created_at: Date }, [readonly InputRow[], number]>(`
  with ${INPUT},
  new_keys as (
    insert into idempotency_keys (key_hash, user_id, event_id)
    select decode(key_hash, 'hex'), user_id, event_id from input where key_hash is not null
    order by key_hash
    on conflict do nothing
    returning user_id),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select user_id, user_name, user_name_key, email, email_key, password_hash, locale from input
    where key_hash is null or user_id in (select user_id from new_keys)
    order by email_key
    on conflict do nothing
    returning id, created_at),
  made as (
    select input.* from input join new_users on new_users.id = input.user_id),${sqlWriteEvents("made", bindings)}
  select id as user_id, created_at from new_users`);

interface Obstacle {
  readonly user_id: string;
  readonly email_taken: boolean;
  readonly user_name_taken: boolean;
  readonly key_used: boolean;
}

/**
 * Why rows were left out; runs only for those. A key without a signup, or older than a day, is free again. A row without an
 * obstacle conflicted with a row that no longer exists: it is written again.
 */
const findObstacles = statement<Obstacle, [readonly InputRow[], number]>(`
  with ${INPUT},
  freed as (
    delete from idempotency_keys using input
    where idempotency_keys.key_hash = decode(input.key_hash, 'hex')
      and (idempotency_keys.created_at < now() - interval '24 hours'
        or not exists (select 1 from users where users.id = idempotency_keys.user_id))
    returning idempotency_keys.key_hash)
  select user_id,
    exists (select 1 from users where users.email_key = input.email_key) as email_taken,
    exists (select 1 from users where users.user_name_key = input.user_name_key) as user_name_taken,
    exists (select 1 from idempotency_keys where key_hash = decode(input.key_hash, 'hex')
      and key_hash not in (select freed.key_hash from freed)) as key_used
  from input`);

const toRow = (signup: NewSignup): InputRow => ({
  user_id: signup.userId,
  ...toEventRow(signup.event),
  user_name: signup.userName,
  user_name_key: signup.userNameKey,
  email: signup.email,
  email_key: signup.emailKey,
  password_hash: signup.passwordHash,
  locale: signup.locale,
  key_hash: signup.idempotencyKeyHash ?? null,
});

const resultOf = (obstacle: Obstacle): SignupResult | undefined => {
  if (obstacle.key_used) return { kind: "idempotency_key_used" };
  if (obstacle.email_taken) return { kind: "email_taken" };
  if (obstacle.user_name_taken) return { kind: "user_name_taken" };
  return undefined;
};

/** The row conflicted repeatedly with rows that no longer exist; the same request may succeed now. */
class SignupConflict extends Error {
  override readonly name = "SignupConflict";
  /** serialization_failure: `databaseFault` calls it a conflict. */
  readonly code = "40001";

  constructor() {
    super("the signup conflicted with others repeatedly");
  }
}

type Settled = { readonly result: SignupResult } | { readonly error: unknown };

/** Writes a batch, and finds out about the rows that were left out. */
const writeBatch = async (
  db: Database,
  insert: ReturnType<typeof insertSignups>,
  rows: readonly InputRow[],
  lockTimeoutMs: number,
  settle: (row: InputRow, settled: Settled) => void,
): Promise<void> => {
  let open = rows;
  for (let round = 0; round < MAX_ROUNDS && open.length > 0; round += 1) {
    const made = new Map((await insert(db, open, lockTimeoutMs)).map((row) => [row.user_id, row.created_at]));
    const leftOut = open.filter((row) => {
      const createdAt = made.get(row.user_id);
      if (createdAt !== undefined) settle(row, { result: { kind: "created", createdAt } });
      return createdAt === undefined;
    });
    if (leftOut.length === 0) return;
    const obstacles = new Map(
      (await findObstacles(db, leftOut, lockTimeoutMs)).map((obstacle) => [obstacle.user_id, resultOf(obstacle)]),
    );
    open = leftOut.filter((row) => {
      const result = obstacles.get(row.user_id);
      if (result !== undefined) settle(row, { result });
      return result === undefined;
    });
  }
  for (const row of open) settle(row, { error: new SignupConflict() });
};

/** `bindings`: the groups that get a delivery of each signup. */
export const createSignupWriter = (db: Database, bindings: readonly BoundGroup[]): SignupWriter => {
  const insert = insertSignups(bindings);
  const writer = createSharedWriter<InputRow, Settled>({
    keysOf: (row) => [
      `email ${row.email_key}`,
      `name ${row.user_name_key}`,
      ...(row.key_hash === null ? [] : [`key ${row.key_hash}`]),
    ],
    write: (rows, lockTimeoutMs, settle) => writeBatch(db, insert, rows, lockTimeoutMs, settle),
  });
  return {
    write: async (signup) => {
      const settled = await writer.write(toRow(signup));
      if ("error" in settled) throw settled.error;
      return settled.result;
    },
    idle: () => writer.idle(),
  };
};
