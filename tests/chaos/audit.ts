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
  }[];
  readonly unexplainedTwins: readonly string[];
  readonly dead: ReadonlyMap<string, number>;
  readonly unexplainedDead: readonly string[];
  readonly letters: number;
  readonly uncertain: number;
  /** Entries that are pending or waiting, outbox rows, mails that are not final. */
  readonly unfinished: number;
}

const GROUP = "welcome-email";
const tally = (items: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
};

/** What is still under way: 0 when the dust has settled. */
export const countUnfinished = async (system: ChaosSystem): Promise<number> => {
  const redis = new Redis(system.redisUrl, { retryStrategy: () => null });
  redis.on("error", () => {});
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql<{ unfinished: number }[]>`
      select ((select count(*) from emails where state not in ('sent', 'dead', 'suppressed', 'cancelled'))
        + (select count(*) from outbox))::int as unfinished`;
    const pending = async (stream: string): Promise<number> => {
      const summary: unknown = await redis.xpending(stream, GROUP);
      return Array.isArray(summary) ? Number(summary[0]) : 1;
    };
    return (
      (row?.unfinished ?? 1) +
      (await pending("{chaos}:events")) +
      (await pending(`{chaos}:retries:${GROUP}`)) +
      (await redis.zcard(`{chaos}:retry:${GROUP}`))
    );
  } catch {
    return -1;
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
  }
};

/** Compares what was promised over HTTP with what came out of the SMTP socket, by way of the ledger. */
export const audit = async (system: ChaosSystem, mailServer: ChaoticMailServer, load: Load): Promise<Audit> => {
  const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
  const redis = new Redis(system.redisUrl);
  const rows = await sql<LedgerRow[]>`
    select event_id, state, reason, uncertain, email from emails left join users on users.id = emails.user_id`;
  const letters = await redis.xlen(`{chaos}:dead:${GROUP}`);
  await sql.end();
  redis.disconnect();

  const byEvent = new Map(rows.map((row) => [row.event_id, row]));
  const copies = tally(mailServer.taken.map(({ eventId }) => eventId));
  const isExplainedDeath = ({ state, email }: LedgerRow): boolean =>
    (state === "dead" || state === "suppressed") && email !== null && mailServer.refused.has(email);
  const lost = load.accepted.filter(({ eventId, email }) => {
    const row = byEvent.get(eventId);
    if (row === undefined) return true;
    if (row.state === "sent") return !mailServer.taken.some((mail) => mail.eventId === eventId && mail.to === email);
    return !isExplainedDeath(row);
  });
  const twins = [...copies]
    .filter(([, count]) => count > 1)
    .map(([eventId, count]) => ({
      eventId,
      copies: count,
      uncertain: byEvent.get(eventId)?.uncertain ?? 0,
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
    letters,
    uncertain: rows.reduce((sum, { uncertain }) => sum + uncertain, 0),
    unfinished: await countUnfinished(system),
  };
};
