import { type Database, statement } from "../connection.ts";
import { type BoundGroup, type NewEvent, sqlWriteEvents } from "../events.ts";
import { createSharedWriter, type Writing } from "../shared-write.ts";
import { writingStatement } from "../writing-statement.ts";
import { insertPrivately, SQL_FREED_NAMES, SQL_IS_HELD } from "./private-signup.ts";
import { type NewSignup, type SignupRow, SQL_INPUT, SQL_NEW_KEYS, SQL_USER, toSignupRow } from "./signup-rows.ts";

export type SignupResult =
  /** `event`: what is to be published, in the place of the signup's own, since the address was known. */
  | {
      readonly kind: "created";
      readonly createdAt: Date;
      readonly event?: Pick<NewEvent, "type" | "subject" | "data">;
    }
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

/**
 * One statement for user, event, deliveries and outbox. The unique indexes decide what is taken, also within one batch. Rows
 * are sorted, so that two batches wait for each other rather than deadlock. A used Idempotency-Key leaves its row out. The ids of
 * those that were made are named only if others were not: a row for each would cost as much as the JSON that it was sent in.
 */
const insertSignups = (bindings: readonly BoundGroup[]) =>
  writingStatement<{ created_at: Date; user_ids: readonly string[] | null }, SignupRow>(`
  with ${SQL_INPUT}, ${SQL_NEW_KEYS},
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select ${SQL_USER} from input
    where key_hash is null or user_id in (select user_id from new_keys)
    order by email_key
    on conflict do nothing
    returning id, created_at),
  made as (
    select input.* from input join new_users on new_users.id = input.user_id),${sqlWriteEvents("made", bindings)}
  select min(created_at) as created_at,
    case when count(*) < (select count(*) from input) then coalesce(json_agg(id), '[]'::json) end as user_ids
  from new_users`);

interface Obstacle {
  readonly user_id: string;
  readonly email_taken: boolean;
  readonly user_name_taken: boolean;
  readonly user_name_held: boolean;
  readonly key_used: boolean;
}

/**
 * Why rows were left out; runs only for those. A key without a signup, or older than a day, is free again. A row without an
 * obstacle conflicted with a row that no longer exists: it is written again.
 */
const findObstacles = statement<Obstacle, [readonly SignupRow[], number]>(`
  with ${SQL_INPUT},
  freed as (
    delete from idempotency_keys using input
    where idempotency_keys.key_hash = decode(input.key_hash, 'hex')
      and (idempotency_keys.created_at < now() - interval '24 hours'
        or not exists (select 1 from users where users.id = idempotency_keys.user_id)
          and not exists (select 1 from repeated_signups where repeated_signups.user_id = idempotency_keys.user_id))
    returning idempotency_keys.key_hash),
  ${SQL_FREED_NAMES}
  select user_id,
    exists (select 1 from users where users.email_key = input.email_key) as email_taken,
    exists (select 1 from users where users.user_name_key = input.user_name_key) as user_name_taken,
    ${SQL_IS_HELD} as user_name_held,
    exists (select 1 from idempotency_keys where key_hash = decode(input.key_hash, 'hex')
      and key_hash not in (select freed.key_hash from freed)) as key_used
  from input`);

const resultOf = (obstacle: Obstacle, isPrivate: boolean): SignupResult | undefined => {
  if (obstacle.key_used) return { kind: "idempotency_key_used" };
  if (isPrivate) return obstacle.user_name_taken || obstacle.user_name_held ? { kind: "user_name_taken" } : undefined;
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

/** The result of the signup of a user, if it was made. */
type ResultOfMade = (userId: string) => SignupResult | undefined;

/** Writes rows. */
type Insert = (db: Database, rows: readonly SignupRow[], how: Writing) => Promise<ResultOfMade>;

const openly = (bindings: readonly BoundGroup[]): Insert => {
  const insert = insertSignups(bindings);
  return async (...call) => {
    const [answer] = await insert(...call);
    if (answer === undefined) throw new Error("a statement that counts its rows returned none");
    // One statement is one moment.
    const created: SignupResult = { kind: "created", createdAt: answer.created_at };
    if (answer.user_ids === null) return () => created;
    const made = new Set(answer.user_ids);
    return (userId) => (made.has(userId) ? created : undefined);
  };
};

const privately = (bindings: readonly BoundGroup[], repeatedType: string): Insert => {
  const insert = insertPrivately(bindings, repeatedType);
  return async (...call) => {
    const made = new Map<string, SignupResult>(
      (await insert(...call)).map(({ user_id, created_at, type, subject, data }) => [
        user_id,
        { kind: "created", createdAt: created_at, event: { type, subject, data } },
      ]),
    );
    return (userId) => made.get(userId);
  };
};

/** Writes a batch, and finds out about the rows that were left out. */
const writeBatch = async (
  db: Database,
  { insert, isPrivate }: { readonly insert: Insert; readonly isPrivate: boolean },
  rows: readonly SignupRow[],
  how: Writing,
  settle: (row: SignupRow, result: SignupResult) => void,
  fail: (row: SignupRow, error: unknown) => void,
): Promise<void> => {
  let open = rows;
  for (let round = 0; round < MAX_ROUNDS && open.length > 0; round += 1) {
    const resultOfMade = await insert(db, open, how);
    const leftOut = open.filter((row) => {
      const result = resultOfMade(row.user_id);
      if (result !== undefined) settle(row, result);
      return result === undefined;
    });
    if (leftOut.length === 0) return;
    const obstacles = new Map(
      (await findObstacles(db, leftOut, how.lockTimeoutMs)).map((obstacle) => [
        obstacle.user_id,
        resultOf(obstacle, isPrivate),
      ]),
    );
    open = leftOut.filter((row) => {
      const result = obstacles.get(row.user_id);
      if (result !== undefined) settle(row, result);
      return result === undefined;
    });
  }
  for (const row of open) fail(row, new SignupConflict());
};

/** Whether a signup with a known address is told so; if not, the type of the event that tells the owner of the address. */
export type Disclosure = { readonly kind: "open" } | { readonly kind: "private"; readonly repeatedType: string };

/** `bindings`: the groups that get a delivery of each signup. `apartLockMs`: longest wait of one that needs a row that somebody has locked. */
export const createSignupWriter = (
  db: Database,
  bindings: readonly BoundGroup[],
  disclosure: Disclosure = { kind: "open" },
  { apartLockMs }: { readonly apartLockMs?: number } = {},
): SignupWriter => {
  const isPrivate = disclosure.kind === "private";
  const insert = isPrivate ? privately(bindings, disclosure.repeatedType) : openly(bindings);
  const writer = createSharedWriter<SignupRow, SignupResult>({
    keysOf: (row) => [
      `email ${row.email_key ?? row.email}`,
      `name ${row.user_name_key ?? row.user_name}`,
      ...(row.key_hash === undefined ? [] : [`key ${row.key_hash}`]),
    ],
    write: (...call) => writeBatch(db, { insert, isPrivate }, ...call),
    apartLockMs,
  });
  return {
    write: (signup) => writer.write(toSignupRow(signup)),
    idle: () => writer.idle(),
  };
};
