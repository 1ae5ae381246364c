import { canonicalMailbox } from "../../runtime/mailbox.ts";
import { comparisonKey, keyOfAddress } from "../comparison-key.ts";
import { type Database, statement } from "../connection.ts";

/** An address to which nothing is sent. */
export interface Suppression {
  /** `comparisonKey` of the address; of who did not sign up, `canonicalMailbox`. */
  readonly addressKey: string;
  readonly reason: string;
  /** The event whose mail was refused. */
  readonly eventId: string;
  readonly createdAt: Date;
}

const suppress = statement<never, [string, string, string]>(`
  insert into suppressions (email_key, reason, event_id) values ($1::text, $2::text, $3::uuid) on conflict do nothing`);

/** Suppresses an address: no more mails are sent to it. `addressKey`: `comparisonKey` of the address. */
export const suppressAddress = async (
  db: Database,
  { addressKey, reason, eventId }: Omit<Suppression, "createdAt">,
): Promise<void> => {
  await suppress(db, addressKey, reason, eventId);
};

/**
 * Of addresses whose own keys are not suppressed: what `find` says of their mailboxes. A statement is only needed for who is spelt in
 * another way than `canonicalMailbox` spells it.
 */
const ofMailboxes = async <T>(
  emails: readonly string[],
  find: (mailboxes: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): Promise<ReadonlyMap<string, T>> => {
  const mailboxes = emails.flatMap((email) => {
    const mailbox = canonicalMailbox(email);
    return mailbox === comparisonKey(email) ? [] : [[email, mailbox] as const];
  });
  if (mailboxes.length === 0) return new Map();
  const found = await find([...new Set(mailboxes.map(([, mailbox]) => mailbox))]);
  return new Map(
    mailboxes.flatMap(([email, mailbox]) => {
      const value = found.get(mailbox);
      return value === undefined ? [] : [[email, value] as const];
    }),
  );
};

const AMONG = "from suppressions where email_key in (select value from json_array_elements_text($1::json))";
const findKeys = statement<{ readonly email_key: string }, [readonly string[]]>(`select email_key ${AMONG}`);
const findReasons = statement<{ readonly email_key: string; readonly reason: string }, [readonly string[]]>(
  `select email_key, reason ${AMONG}`,
);

/** Of addresses whose own keys are not suppressed: those of a suppressed mailbox. */
export const findSuppressedMailboxes = async (
  db: Database,
  emails: readonly string[],
): Promise<ReadonlySet<string>> => {
  const isSuppressed = await ofMailboxes(
    emails,
    async (mailboxes) => new Map((await findKeys(db, mailboxes)).map((row) => [row.email_key, true])),
  );
  return new Set(isSuppressed.keys());
};

/** The same for an operator, with the reasons. */
export const findMailboxReasons = (db: Database, emails: readonly string[]): Promise<ReadonlyMap<string, string>> =>
  ofMailboxes(
    emails,
    async (mailboxes) => new Map((await findReasons(db, mailboxes)).map((row) => [row.email_key, row.reason])),
  );

/** Suppressions, latest first, at most `limit`. */
export const listSuppressions = async (db: Database, limit: number): Promise<readonly Suppression[]> => {
  const rows = await db
    .selectFrom("suppressions")
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("email_key")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    addressKey: row.email_key,
    reason: row.reason,
    eventId: row.event_id,
    createdAt: row.created_at,
  }));
};

/** Which suppressions are meant. */
export interface SuppressionSelection {
  readonly reason: string;
  readonly since?: Date | undefined;
  readonly before?: Date | undefined;
}

/** SQL: $1 reason, $2 since, $3 before; null: no bound. */
const SELECTED = `reason = $1::text and created_at >= coalesce($2::timestamptz, '-infinity')
    and created_at < coalesce($3::timestamptz, 'infinity')`;

type Selected = [string, Date | null, Date | null];
const countSelected = statement<{ readonly count: number }, Selected>(
  `select count(*)::int as count from suppressions where ${SELECTED}`,
);
const liftSelected = statement<{ readonly count: number }, Selected>(`
  with lifted as (delete from suppressions where ${SELECTED} returning 1) select count(*)::int as count from lifted`);

const selected = ({ reason, since, before }: SuppressionSelection): Selected => [reason, since ?? null, before ?? null];

/** How many suppressions have that reason, and were made in that time. */
export const countSuppressions = async (db: Database, selection: SuppressionSelection): Promise<number> =>
  (await countSelected(db, ...selected(selection)))[0]?.count ?? 0;

/** Lifts them: mails are sent to these addresses again. Returns how many. */
export const liftSuppressions = async (db: Database, selection: SuppressionSelection): Promise<number> =>
  (await liftSelected(db, ...selected(selection)))[0]?.count ?? 0;

/** Addresses that were suppressed within an hour for one reason. */
export interface SuppressionCount {
  readonly reason: string;
  readonly count: number;
  readonly isBound: boolean;
  readonly firstAt: Date;
}

/** Counting the suppressions of an hour stops here. */
const RECENT_BOUND = 10_000;

const countRecent = statement<Omit<SuppressionCount, "isBound">, [number]>(`
  select reason, count(*)::int as count, min(created_at) as "firstAt"
  from (
    select reason, created_at from suppressions where created_at > now() - interval '1 hour'
    order by created_at desc limit $1::int) as recent
  group by reason order by reason`);

/** The suppressions of the last hour by reason, bounded. */
export const countRecentSuppressions = async (db: Database): Promise<readonly SuppressionCount[]> => {
  const rows = await countRecent(db, RECENT_BOUND);
  const isBound = rows.reduce((sum, row) => sum + row.count, 0) >= RECENT_BOUND;
  return rows.map((row) => ({ ...row, isBound }));
};

/** The reasons of suppressions, by name. */
export const suppressionReasons = async (db: Database): Promise<readonly string[]> => {
  const rows = await db.selectFrom("suppressions").select("reason").distinct().orderBy("reason").execute();
  return rows.map((row) => row.reason);
};

/**
 * Lifts the suppression of an address, compared as at signup, and of its mailbox: mails are sent to it again. The event for which it
 * was suppressed; undefined: it was not.
 */
export const liftSuppression = async (db: Database, address: string): Promise<string | undefined> => {
  const [lifted] = await db
    .deleteFrom("suppressions")
    .where("email_key", "in", [keyOfAddress(address.trim()), canonicalMailbox(address)])
    .returning("event_id")
    .execute();
  return lifted?.event_id;
};
