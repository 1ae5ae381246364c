import { type Database, statement } from "../connection.ts";

/** What a webhook is about: an event, and the user or the transaction that its data names. */
export interface WantedFacts {
  readonly eventId: string;
  readonly userId?: string;
  readonly transactionId?: string;
}

/** A user, as a receiver sees it. Contains personal data. */
export interface UserFacts {
  readonly userId: string;
  readonly userName: string;
  readonly email: string;
  readonly createdAt: Date;
}

/** A transaction, as a receiver sees it. */
export interface TransactionFacts {
  readonly transactionId: string;
  readonly userId: string;
  /** In minor units. */
  readonly amount: number;
  /** ISO 4217 */
  readonly currency: string;
  readonly createdAt: Date;
}

/** What the database knows now. `user`, `transaction`: undefined if there is none, or none is asked for. */
export interface WebhookFacts {
  /** When the event was written; for one that is not in the log, when what it is about was, or now. */
  readonly at: Date;
  readonly user: UserFacts | undefined;
  readonly transaction: TransactionFacts | undefined;
}

interface FactsRow {
  readonly event_id: string;
  readonly at: Date;
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly email: string | null;
  readonly user_created_at: Date | null;
  readonly transaction_id: string | null;
  readonly account_user_id: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly transaction_created_at: Date | null;
}

/** Laterals, so that each row is found by its key, however many the planner expects. */
const find = statement<FactsRow, [readonly object[]]>(`
  select wanted.event_id, coalesce(events.created_at, users.created_at, transactions.created_at, now()) as at,
    users.id as user_id, users.user_name, users.email, users.created_at as user_created_at,
    transactions.transaction_id, transactions.user_id as account_user_id, transactions.amount::text as amount,
    transactions.currency, transactions.created_at as transaction_created_at
  from json_to_recordset($1::json) as wanted (event_id uuid, user_id uuid, transaction_id text)
    left join lateral (select created_at from events where events.event_id = wanted.event_id limit 1) as events on true
    left join lateral (
      select id, user_name, email, created_at from users where users.id = wanted.user_id limit 1) as users on true
    left join lateral (
      select * from transactions where transactions.transaction_id = wanted.transaction_id limit 1) as transactions on true`);

const userOf = (row: FactsRow): UserFacts | undefined => {
  const { user_id: userId, user_name: userName, email, user_created_at: createdAt } = row;
  const isKnown = userId !== null && userName !== null && email !== null && createdAt !== null;
  return isKnown ? { userId, userName, email, createdAt } : undefined;
};

const transactionOf = (row: FactsRow): TransactionFacts | undefined => {
  const { transaction_id: transactionId, account_user_id: userId, amount, currency } = row;
  const { transaction_created_at: createdAt } = row;
  const isKnown =
    transactionId !== null && userId !== null && amount !== null && currency !== null && createdAt !== null;
  return isKnown ? { transactionId, userId, amount: Number(amount), currency, createdAt } : undefined;
};

/** Looks up what webhooks tell, by event id; one statement for all. */
export const findWebhookFacts = async (
  db: Database,
  wanted: readonly WantedFacts[],
): Promise<Map<string, WebhookFacts>> => {
  const rows = await find(
    db,
    wanted.map(({ eventId, userId = null, transactionId = null }) => ({
      event_id: eventId,
      user_id: userId,
      transaction_id: transactionId,
    })),
  );
  return new Map(rows.map((row) => [row.event_id, { at: row.at, user: userOf(row), transaction: transactionOf(row) }]));
};
