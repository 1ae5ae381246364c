import postgres, { type Sql } from "postgres";
import type { Fault, FaultDeps } from "./fault.ts";
import { EXAMPLE, MAIL } from "./groups.ts";
import type { Watch } from "./load.ts";

const LOCKED_MS = { min: 3_000, max: 9_000 } as const;
/** Fresh signups get through within this time while rows of others are locked. */
const OTHERS_WITHIN_MS = 10_000;
const MAX_DELIVERIES = 60;
const USERS = 20;
const CLIENTS = 3;
const REQUEST_TIMEOUT_MS = 15_000;
const REPEAT_AFTER_MS = 300;
const LOOK_AGAIN_MS = 50;

/** A transaction of somebody else, which keeps its locks until it ends. */
const openTransaction = async (url: string): Promise<Sql> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`begin`;
  return sql;
};

const end = async (sql: Sql | undefined, how: "commit" | "rollback"): Promise<void> => {
  await sql?.unsafe(how).catch(() => {});
  await sql?.end({ timeout: 1 });
};

/** Rows, an address and a table that a transaction of somebody else has locked. */
export const lockFaults = ({ system, load, random }: FaultDeps) => {
  /** A transaction takes its locks, and is rolled back. No signup of the load needs what it locks. */
  const held = (fault: Pick<Fault, "kind" | "label" | "unaffected">, lock: (sql: Sql) => Promise<unknown>): Fault => {
    let sql: Sql | undefined;
    let watch: Watch | undefined;
    return {
      ...fault,
      lastsMs: random.between(LOCKED_MS.min, LOCKED_MS.max),
      parts: ["postgres"],
      unaffectedWithinMs: OTHERS_WITHIN_MS,
      inflict: async () => {
        sql = await openTransaction(system.databaseUrl);
        watch = load.watch();
        await lock(sql);
      },
      heal: async () => {
        watch?.stop();
        await end(sql, "rollback");
      },
      verify: async () => {
        const refused = watch?.answered("503") ?? 0;
        return refused === 0 ? [] : [`${refused} signups answered by 503 because of a stranger's lock`];
      },
    };
  };

  const lockDeliveries = (): Fault => {
    const group = random.pick([MAIL, EXAMPLE]);
    const most = random.between(1, MAX_DELIVERIES);
    return held(
      {
        kind: "lock: deliveries",
        label: `lock on up to ${most} unfinished deliveries of ${group}`,
        unaffected: group,
      },
      async (sql) => {
        const lock = () => sql`select event_id from deliveries
          where group_name = ${group} and state in ('queued', 'active', 'retrying')
          order by event_id desc limit ${most} for update skip locked`;
        while ((await lock()).length === 0) await Bun.sleep(LOOK_AGAIN_MS);
      },
    );
  };
  const lockUsers = (): Fault =>
    held(
      { kind: "lock: users", label: `lock on the ${USERS} newest users`, unaffected: MAIL },
      (sql) => sql`select id from users order by created_at desc limit ${USERS} for update`,
    );

  /** No signup can be written. Those that are answered by 503 must not exist afterwards: the audit looks. */
  const lockTable = (): Fault => ({
    ...held({ kind: "lock: table", label: "lock on the table users" }, (sql) =>
      sql.unsafe("lock table users in share row exclusive mode"),
    ),
    verify: async () => [],
  });

  /** A client asks again and again for an address that a transaction has taken, and may give up. */
  const contestedAddress = (): Fault => {
    const isCommitted = random.next() < 0.5;
    const name = `contested-${random.between(0, 1e9)}`;
    const email = `${name}@inbox.example`;
    const urls = system.victims.filter(({ kind }) => kind === "api").map(({ url }) => url);
    const userId = Bun.randomUUIDv7();
    const answers: string[] = [];
    let transaction: Sql | undefined;
    const stopping = new AbortController();
    let clients: Promise<unknown> = Promise.resolve();

    const askOnce = async (client: number): Promise<string> => {
      try {
        const response = await fetch(`${urls[client % urls.length]}/api/v1/user/`, {
          method: "POST",
          headers: { "Content-Type": "application/json", "Idempotency-Key": `${name}-${client}` },
          body: JSON.stringify({ user_name: `${name}-${client}`, email, password: "correct horse battery" }),
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        });
        await response.arrayBuffer();
        return String(response.status);
      } catch {
        return "none";
      }
    };
    const ask = async (client: number): Promise<void> => {
      while (!stopping.signal.aborted) {
        answers.push(await askOnce(client));
        await Bun.sleep(REPEAT_AFTER_MS);
      }
    };
    const withDatabase = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
      const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
      try {
        return await work(sql);
      } finally {
        await sql.end();
      }
    };
    const base = held(
      {
        kind: "lock: address",
        label: `lock on an address that ${CLIENTS} clients ask for, then ${isCommitted ? "commit" : "rollback"}`,
        unaffected: MAIL,
      },
      async (sql) => {
        transaction = sql;
        await sql`insert into users (id, user_name, user_name_key, email, email_key, password_hash)
          values (${userId}, ${name}, ${name}, ${email}, ${email}, '-')`;
        clients = Promise.all(Array.from({ length: CLIENTS }, (_, client) => ask(client)));
      },
    );
    return {
      ...base,
      heal: async () => {
        // The clients stop first: what they were answered while the address was taken has to be true afterwards.
        stopping.abort();
        await clients;
        if (isCommitted) await transaction?.unsafe("commit").catch(() => {});
        await base.heal();
        // Here, because of two faults at a time none is verified: this user is nobody's signup.
        await withDatabase((sql) => sql`delete from users where id = ${userId}`);
      },
      verify: async () => {
        const users = await withDatabase((sql) => sql`select id from users where email_key = ${email}`);
        const others = users.length;
        const told = answers.join(" ");
        const mayExist = answers.includes("201") || answers.includes("none");
        const isTrue = others <= (mayExist ? 1 : 0);
        return [
          ...((await base.verify?.()) ?? []),
          ...(isTrue ? [] : [`the answers were ${told}, and then there were ${others} users of that address`]),
        ];
      },
    };
  };
  return { lockDeliveries, lockUsers, lockTable, contestedAddress };
};
