import { Redis } from "ioredis";
import postgres from "postgres";
import type { Load } from "./load.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { ChaosSystem } from "./system.ts";

interface LedgerRow {
  readonly event_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly uncertain: number;
  /** Why nobody could know, each time, as the ledger's timeline has it. */
  readonly why: string | null;
  readonly email: string | null;
}

/** The books, seen from the outside. */
export interface Audit {
  readonly accepted: number;
  readonly delivered: number;
  readonly lost: readonly string[];
  readonly twins: readonly {
    readonly eventId: string;
    readonly copies: number;
    readonly uncertain: number;
    readonly during: string;
    readonly why: string;
  }[];
  readonly unexplainedTwins: readonly string[];
  readonly dead: ReadonlyMap<string, number>;
  readonly unexplainedDead: readonly string[];
  /** Dead letters in Redis, by reason. Fewer than the dead where Redis was flushed since. */
  readonly letters: ReadonlyMap<string, number>;
  readonly uncertain: number;
  /** Users that were made without a mail, or with two: half a signup. */
  readonly halfMade: readonly string[];
  readonly unfinished: Unfinished;
}

/** What is still under way: all 0 when the dust has settled. */
export interface Unfinished {
  /** Mails that are not final. */
  readonly mails: number;
  readonly outboxRows: number;
  /** Entries that a consumer holds, on either stream. */
  readonly pending: number;
  /** Entries that wait for their next try. */
  readonly waiting: number;
  /** Entries that nobody has read, on either stream. */
  readonly unread: number;
}

const GROUP = "welcome-email";
const EVENTS = "{chaos}:events";
const RETRIES = `{chaos}:retries:${GROUP}`;
const NEVER_SETTLED: Unfinished = { mails: -1, outboxRows: -1, pending: -1, waiting: -1, unread: -1 };

const tally = (items: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
};

/** Of one group on one stream. `lag` is nil where Redis 7.0 has forgotten it: then what lies after the last read is counted. */
const unreadOn = async (redis: Redis, stream: string): Promise<number> => {
  const groups: unknown = await redis.xinfo("GROUPS", stream);
  const fields: unknown = Array.isArray(groups) ? groups[0] : undefined;
  if (!Array.isArray(fields)) return 0;
  const lastRead: unknown = fields[fields.indexOf("last-delivered-id") + 1];
  return (await redis.xrange(stream, `(${String(lastRead)}`, "+")).length;
};

/** Undefined: a store does not answer. */
export const countUnfinished = async (system: ChaosSystem): Promise<Unfinished | undefined> => {
  const redis = new Redis(system.redisUrl, { retryStrategy: () => null });
  redis.on("error", () => {});
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql<{ mails: number; outbox_rows: number }[]>`
      select (select count(*) from emails where state not in ('sent', 'dead', 'suppressed', 'cancelled'))::int as mails,
        (select count(*) from outbox)::int as outbox_rows`;
    const pendingOn = async (stream: string): Promise<number> => {
      const summary: unknown = await redis.xpending(stream, GROUP);
      return Array.isArray(summary) ? Number(summary[0]) : 1;
    };
    if (row === undefined) return undefined;
    return {
      mails: row.mails,
      outboxRows: row.outbox_rows,
      pending: (await pendingOn(EVENTS)) + (await pendingOn(RETRIES)),
      waiting: await redis.zcard(`{chaos}:retry:${GROUP}`),
      unread: (await unreadOn(redis, EVENTS)) + (await unreadOn(redis, RETRIES)),
    };
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
  }
};

/** Whether the dust has settled. */
export const isSettled = (left: Unfinished | undefined): boolean =>
  left !== undefined && Object.values(left).every((count) => count === 0);

/** Compares what was promised over HTTP with what came out of the SMTP socket, by way of the ledger. */
export const audit = async (system: ChaosSystem, mailServer: ChaoticMailServer, load: Load): Promise<Audit> => {
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  const redis = new Redis(system.redisUrl);
  const rows = await sql<LedgerRow[]>`
    select event_id, state, reason, uncertain, email,
      (select string_agg(distinct step ->> 'reason', ', ') from jsonb_array_elements(timeline) as step
        where step ->> 'state' = 'uncertain') as why
    from emails left join users on users.id = emails.user_id`;
  const halfMade = await sql<{ email: string }[]>`
    select email from users left join emails on emails.user_id = users.id
    group by users.id having count(emails.event_id) <> 1`;
  const letters = await redis.xrange(`{chaos}:dead:${GROUP}`, "-", "+");
  await sql.end();
  redis.disconnect();

  const byEvent = new Map(rows.map((row) => [row.event_id, row]));
  const copies = tally(mailServer.taken.map(({ eventId }) => eventId));
  const isExplainedDeath = ({ state, email }: LedgerRow): boolean =>
    (state === "dead" || state === "suppressed") && email !== null && mailServer.refused.has(email);
  const takenOnce = new Set(mailServer.taken.map(({ eventId, to }) => `${eventId} ${to}`));
  const lost = load.accepted.filter(({ eventId, email }) => {
    const row = byEvent.get(eventId);
    if (row === undefined) return true;
    if (row.state === "sent") return !takenOnce.has(`${eventId} ${email}`);
    return !isExplainedDeath(row);
  });
  const twins = [...copies]
    .filter(([, count]) => count > 1)
    .map(([eventId, count]) => ({
      eventId,
      copies: count,
      uncertain: byEvent.get(eventId)?.uncertain ?? 0,
      why: byEvent.get(eventId)?.why ?? "",
      during: mailServer.taken.find((mail) => mail.eventId === eventId)?.during ?? "",
    }));
  const dead = rows.filter(({ state }) => state === "dead" || state === "suppressed");
  return {
    accepted: load.accepted.length,
    delivered: copies.size,
    lost: lost.map(({ eventId }) => eventId),
    twins,
    unexplainedTwins: twins.filter((twin) => twin.copies > 1 + twin.uncertain).map(({ eventId }) => eventId),
    dead: tally(dead.map(({ reason }) => reason ?? "")),
    unexplainedDead: dead.filter((row) => !isExplainedDeath(row)).map(({ event_id }) => event_id),
    letters: tally(letters.map(([, fields]) => fields[fields.indexOf("reason") + 1] ?? "")),
    halfMade: halfMade.map(({ email }) => email),
    uncertain: rows.reduce((sum, { uncertain }) => sum + uncertain, 0),
    unfinished: (await countUnfinished(system)) ?? NEVER_SETTLED,
  };
};
