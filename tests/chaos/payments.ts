import type { Sql } from "postgres";
import { pause } from "../../runtime/loop.ts";
import { createActivity } from "./activity.ts";
import { openForAudit } from "./database.ts";
import type { Random } from "./random.ts";

/** A payment that an API answered by 202: the promise that is audited. */
interface Promised {
  readonly transactionId: string;
  readonly amount: number;
}

/** What the payments came to, compared with what was promised. */
export interface PaymentAudit {
  readonly promised: number;
  readonly completed: number;
  readonly rejected: number;
  /** Promised, and not final or not there, or with another amount. */
  readonly broken: readonly string[];
  /** Accounts whose debits are not the sum of their completed transactions. */
  readonly wrongBalances: readonly string[];
}

export interface Payments {
  stop(): Promise<void>;
  audit(): Promise<PaymentAudit>;
}

export interface PaymentOptions {
  readonly urls: readonly string[];
  readonly databaseUrl: string;
  readonly serviceToken: string;
  readonly perSecond: number;
  readonly random: Random;
}

const TIMEOUT_MS = 30_000;
const REPEAT_AFTER_MS = 1_000;
const CURRENCY = "VND";
/** Some are empty soon: then payments are rejected. */
const BALANCES = [5_000, 5_000, 1_000_000, 1_000_000, 1_000_000];
const MAX_AMOUNT = 1_000;

interface TransactionRow {
  readonly transaction_id: string;
  readonly user_id: string;
  readonly amount: string;
  readonly status: string;
}

const openAccounts = async (sql: Sql): Promise<ReadonlyMap<string, number>> => {
  const accounts = new Map(BALANCES.map((balance) => [Bun.randomUUIDv7(), balance]));
  for (const [userId, balance] of accounts) {
    await sql`insert into accounts (user_id, currency, balance) values (${userId}, ${CURRENCY}, ${balance})`;
  }
  return accounts;
};

const withDatabase = async <Result>(url: string, use: (sql: Sql) => Promise<Result>): Promise<Result> => {
  const sql = openForAudit(url);
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
};

/** A steady load of payments, each posted to two APIs at once, and again where neither has answered. */
export const startPayments = async (options: PaymentOptions): Promise<Payments> => {
  const { urls, databaseUrl, serviceToken, perSecond, random } = options;
  const accounts = await withDatabase(databaseUrl, openAccounts);
  const promised: Promised[] = [];
  const { signal, start, begin, stop } = createActivity();
  let payments = 0;

  const post = async (url: string, body: string): Promise<boolean> => {
    try {
      const response = await fetch(`${url}/api/v1/payments`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${serviceToken}` },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      return response.status === 202;
    } catch {
      return false;
    }
  };

  const pay = async (): Promise<void> => {
    payments += 1;
    const transactionId = `payment-${payments}`;
    const amount = 1 + Math.floor(random.next() * MAX_AMOUNT);
    const payment = { transaction_id: transactionId, user_id: random.pick([...accounts.keys()]), amount };
    const body = JSON.stringify({ ...payment, currency: CURRENCY });
    const toAll = async () => (await Promise.all(urls.map((url) => post(url, body)))).includes(true);
    if (!(await toAll())) {
      await pause(REPEAT_AFTER_MS, signal);
      if (!(await toAll())) return;
    }
    promised.push({ transactionId, amount });
  };

  start(1_000 / perSecond, () => begin(pay()));

  return {
    stop,
    audit: () =>
      withDatabase(databaseUrl, async (sql) => {
        const rows = await sql<TransactionRow[]>`select transaction_id, user_id, amount, status from transactions`;
        const byId = new Map(rows.map((row) => [row.transaction_id, row]));
        const isKept = ({ transactionId, amount }: Promised): boolean => {
          const row = byId.get(transactionId);
          return row !== undefined && row.status !== "queued" && Number(row.amount) === amount;
        };
        const balances = await sql<{ user_id: string; balance: string }[]>`select user_id, balance from accounts`;
        const completed = rows.filter(({ status }) => status === "completed");
        const isWrong = ({ user_id, balance }: { readonly user_id: string; readonly balance: string }): boolean => {
          const ofUser = completed.filter((row) => row.user_id === user_id);
          const debited = ofUser.reduce((sum, { amount }) => sum + Number(amount), 0);
          return Number(balance) !== (accounts.get(user_id) ?? 0) - debited;
        };
        return {
          promised: promised.length,
          completed: completed.length,
          rejected: rows.filter(({ status }) => status === "rejected").length,
          broken: promised.filter((each) => !isKept(each)).map(({ transactionId }) => transactionId),
          wrongBalances: balances.filter(isWrong).map(({ user_id }) => user_id),
        };
      }),
  };
};
