import postgres, { type Sql } from "postgres";
import { eventually } from "../eventually.ts";
import { type Fault, type FaultDeps, nothing } from "./fault.ts";
import { EXAMPLE, MAIL, REMINDER } from "./groups.ts";
import type { RecordedMails } from "./recorded-mails.ts";

/** What was declined with everything else is out by then: sooner than the mail server said to come back (`system.ts`). */
const SENT_WITHIN_MS = 20_000;
/** If that was so shortly before as well, it looks like a rate for so long: no more is asked for than was accepted lately. */
const RATE_MS = 30_000;
/** A mail that was accepted when this began may end the row of declined ones of its consumer. */
const UNDER_WAY_MS = 2_000;
/** Those that send mail, each with a permit of its own. */
const MAIL_GROUPS = 3;
/** The first probe that may do harm is followed by none for so long, and that one for twice as long, and so on. */
const FIRST_PERMIT_MS = 4_000;
/** Two groups share what is granted: each has a mail within this time. */
const SHARED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 100;

const withPostgres = async <Result>(url: string, ask: (sql: Sql) => Promise<Result>): Promise<Result> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  return ask(sql).finally(() => sql.end({ timeout: 1 }));
};

/** How many permits one group gives in such a time. */
export const permitsWithin = (ms: number): number => Math.floor(Math.log2(ms / FIRST_PERMIT_MS + 1)) + 1;

/** The longest time without a mail of each group, in ms, up to now. */
const watchGaps = (mails: RecordedMails, groups: readonly string[]) => {
  const seen = groups.map((group) => ({ group, count: mails.of(group).length, at: performance.now(), longestMs: 0 }));
  const look = () => {
    for (const each of seen) {
      const { length } = mails.of(each.group);
      each.longestMs = Math.max(each.longestMs, performance.now() - each.at);
      if (length > each.count) Object.assign(each, { count: length, at: performance.now() });
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return seen;
    },
  };
};

/** What a provider of mail does for a while to everybody, and what has to follow from it. */
export const providerFaults = ({ system, mailServer, random }: FaultDeps) => {
  /** From then on both groups have something to send, at any time. */
  const untilReminders = () => eventually(() => mailServer.mails.of(REMINDER).length > 0);

  /** Everybody is told to come back later than most of it is sent once the server accepts mails again. */
  const declineAll = (): Fault => {
    let since = "";
    let declined: readonly string[] = [];
    let endedAt = 0;
    let sentWithinMs = SENT_WITHIN_MS;
    const ofMail = [MAIL, REMINDER];
    return {
      kind: "smtp: everything declined",
      label: "smtp: 451 4.7.1 to everybody",
      lastsMs: random.between(8_000, 20_000),
      // Which mails it declined is asked of Postgres.
      parts: ["smtp", "postgres"],
      unaffected: EXAMPLE,
      inflict: async () => {
        if (performance.now() - mailServer.refusedAllAt() < RATE_MS) sentWithinMs += RATE_MS;
        mailServer.misbehave("451 4.7.1 to everybody");
        await withPostgres(system.databaseUrl, async (sql) => {
          const [row] = await sql<{ since: string }[]>`
            select (now() + ${UNDER_WAY_MS} * interval '1 ms')::text as since`;
          since = row?.since ?? "";
        });
      },
      heal: async () => {
        declined = await withPostgres(system.databaseUrl, async (sql) => {
          const rows = await sql<{ id: string }[]>`select group_name || ' ' || event_id as id from deliveries
            where group_name = any(${ofMail}) and state = 'retrying' and reason = 'greylisted' and updated_at > ${since}::timestamptz`;
          return rows.map(({ id }) => id);
        });
        mailServer.misbehave(undefined);
        endedAt = performance.now();
      },
      verify: async () => {
        const left = () =>
          withPostgres(system.databaseUrl, async (sql) => {
            const [row] = await sql<{ count: number }[]>`select count(*)::int as count from deliveries
              where group_name = any(${ofMail}) and state in ('queued', 'active', 'retrying')
                and group_name || ' ' || event_id = any(${[...declined]}::text[])`;
            return row?.count ?? 0;
          });
        const withinMs = Math.max(0, endedAt + sentWithinMs - performance.now());
        await eventually(async () => (await left()) === 0, withinMs).catch(nothing);
        const count = await left();
        return count === 0
          ? []
          : [`${count} of ${declined.length} declined mails are not sent ${sentWithinMs} ms after the end`];
      },
    };
  };

  /**
   * Each login more may lock the account. At first each consumer finds out by itself: so those of the second half count, when each group
   * gives two permits at most.
   */
  const refuseLogin = (): Fault => {
    const lastsMs = random.between(30_000, 36_000);
    const most = MAIL_GROUPS * (permitsWithin(lastsMs) - permitsWithin(lastsMs / 2) + 1);
    let half: Timer | undefined;
    let before = 0;
    let later = 0;
    return {
      kind: "smtp: login refused",
      label: "smtp: login refused",
      lastsMs,
      parts: ["smtp"],
      unaffected: EXAMPLE,
      inflict: async () => {
        await untilReminders();
        mailServer.misbehave("login refused");
        half = setTimeout(() => {
          before = mailServer.refusedLogins();
        }, lastsMs / 2);
      },
      heal: async () => {
        clearTimeout(half);
        later = mailServer.refusedLogins() - before;
        mailServer.misbehave(undefined);
      },
      verify: async () =>
        later <= most ? [] : [`${later} logins in the second half of ${lastsMs} ms, of ${most} at most`],
    };
  };

  /** One consumer sends the mail of two groups, each with more to send than the server takes. Others would take connections from both. */
  const shareFewConnections = (): Fault => {
    const connections = random.between(1, 4);
    const drainMs = random.between(100, 400);
    const others = system.victims.filter(({ kind, groups, name }) => {
      return kind === "consumer" && groups.some((group) => group === MAIL) && name !== "consumer-1";
    });
    let gaps: ReturnType<typeof watchGaps> | undefined;
    let broken: readonly string[] = [];
    return {
      kind: "smtp: two groups share few connections",
      label: `smtp: ${connections} connections of ${drainMs} ms a mail, for two groups of one consumer`,
      lastsMs: random.between(26_000, 32_000),
      parts: ["smtp", ...system.victims.filter(({ kind }) => kind === "consumer").map(({ name }) => name)],
      inflict: async () => {
        await untilReminders();
        for (const other of others) other.terminate();
        await Promise.all(others.map((other) => other.terminated()));
        mailServer.misbehave({ connections, beyond: "421", drainMs });
        gaps = watchGaps(mailServer.mails, [MAIL, REMINDER]);
      },
      heal: async () => {
        broken = (gaps?.stop() ?? [])
          .filter(({ longestMs }) => longestMs > SHARED_WITHIN_MS)
          .map(({ group, longestMs }) => `no mail of ${group} for ${Math.round(longestMs)} ms`);
        mailServer.misbehave(undefined);
        for (const other of others) other.start();
      },
      verify: async () => broken,
    };
  };
  return { declineAll, refuseLogin, shareFewConnections };
};
