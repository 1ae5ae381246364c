import { Redis } from "ioredis";
import postgres, { type Sql } from "postgres";
import { type Fault, type FaultDeps, nothing } from "./fault.ts";
import type { Watch } from "./load.ts";

const MALFORMED: readonly (readonly string[])[] = [
  ["hello", "world"],
  ["specversion", "1.0", "id", "nonsense", "type", "user.signed_up.v1", "source", "x", "data", "{"],
  [
    ...["specversion", "1.0", "id", "6f9619ff-8b86-4011-b42d-00c04fc964ff", "type", "user.signed_up.v9"],
    ...["source", "x", "data", "{}"],
  ],
  ["type", "order.placed.v1", "data", "{}"],
  ["type", "user.signed_up.v1", "data", "x".repeat(100_000)],
];

/** Longer than every deadline of a connection. */
const FROZEN_MS = { min: 5_000, max: 20_000 } as const;
/** By then requests that Postgres does not answer are. */
const ANSWERED_AFTER_MS = 8_000;
const FULL_MS = { min: 3_000, max: 12_000 } as const;

/** A transaction that began so long before a stall may be in it. */
const COMMIT_MS = 1_000;

const NOT_LINUX = "needs Linux";

/** Chosen also where it cannot be inflicted, so that a seed gives the same faults everywhere. */
const skippedWithout = (tool: object | undefined, why: string): string =>
  tool === undefined ? ` (skipped: ${why})` : "";

const withRedis = async (url: string, action: (redis: Redis) => Promise<unknown>): Promise<void> => {
  const redis = new Redis(url, { retryStrategy: () => null });
  redis.on("error", () => {});
  await action(redis).catch(() => {});
  redis.disconnect();
};

const withPostgres = async (url: string, action: (sql: Sql) => Promise<unknown>): Promise<void> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await action(sql).finally(() => sql.end({ timeout: 1 }));
};

/** Faults of Redis and Postgres, and of their contents. */
export const storeFaults = ({ system, mailServer, load, random }: FaultDeps) => {
  const killRedis = (lastsMs = random.between(500, 4_000)): Fault => ({
    kind: "kill -9 redis",
    label: "kill -9 redis, restarted with its append-only file",
    lastsMs,
    parts: ["redis"],
    inflict: system.redis.kill,
    heal: system.redis.start,
  });
  const flush = (): Fault => ({
    kind: "FLUSHALL",
    label: "FLUSHALL",
    lastsMs: 0,
    parts: ["redis"],
    inflict: () => withRedis(system.redisUrl, (redis) => redis.flushall()),
    heal: nothing,
  });
  /** Delayed entries are in Redis alone; after the flush only the ledger knows of them. */
  const flushWhileRetriesAreDelayed = (): Fault => ({
    kind: "FLUSHALL",
    label: "FLUSHALL while retries are delayed",
    lastsMs: 500,
    parts: ["redis", "smtp"],
    inflict: async () => {
      mailServer.misbehave("452 too many");
      await Bun.sleep(1_500);
      await flush().inflict();
    },
    heal: async () => mailServer.misbehave(undefined),
  });
  const killPostgres = (): Fault => ({
    kind: "kill -9 postgres",
    label: "kill -9 postgres, restarted",
    lastsMs: random.between(500, 3_000),
    parts: ["postgres"],
    inflict: system.postgres.kill,
    heal: system.postgres.start,
  });
  const cutConnections = (): Fault => ({
    kind: "connections terminated",
    label: "all postgres connections terminated",
    lastsMs: 0,
    parts: ["postgres"],
    inflict: () =>
      withPostgres(system.databaseUrl, (sql) =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and backend_type = 'client backend'`.catch(() => {}),
      ),
    heal: nothing,
  });
  const addMalformed = (): Fault => ({
    kind: "malformed entries",
    label: "malformed entries in the stream",
    lastsMs: 0,
    parts: ["redis"],
    inflict: () =>
      withRedis(system.redisUrl, (redis) =>
        Promise.all(MALFORMED.map((fields) => redis.xadd("{chaos}:events", "*", ...fields))),
      ),
    heal: nothing,
  });
  const killPooler = (): Fault => ({
    kind: "kill -9 pgbouncer",
    label: "kill -9 pgbouncer, restarted",
    lastsMs: random.between(500, 3_000),
    parts: ["postgres"],
    inflict: async () => system.pooler?.kill(),
    heal: async () => system.pooler?.start(),
  });
  const promoteStandby = (): Fault => ({
    kind: "standby promoted",
    label: "kill -9 postgres, its synchronous standby promoted",
    lastsMs: random.between(500, 3_000),
    parts: ["postgres"],
    inflict: system.postgres.killWithStandby,
    heal: system.postgres.promote,
  });
  /** No connection is dropped: the former primary answers every write by READONLY. */
  const failOverRedis = (): Fault => ({
    kind: "redis failover",
    label: "planned failover of redis, no connection dropped",
    lastsMs: 0,
    parts: ["redis"],
    inflict: system.redis.failOver,
    heal: nothing,
  });
  /** Signups go on, by way of the outbox. Those that were on their way when Redis fell silent do not count. */
  const withoutRedis = (
    fault: Pick<Fault, "kind" | "label" | "lastsMs">,
    begin: () => unknown,
    end: () => unknown,
  ): Fault => {
    let watch: Watch | undefined;
    // Without Postgres as well signups are refused.
    const toPostgres = system.links.filter(({ name }) => name.startsWith("api") && !name.endsWith("redis"));
    return {
      ...fault,
      parts: ["redis", "postgres", ...toPostgres.map(({ name }) => name)],
      inflict: async () => {
        await begin();
        watch = load.watch();
      },
      heal: async () => {
        watch?.stop();
        await end();
      },
      verify: async () => {
        const [accepted, refused] = [watch?.answered("201") ?? 0, watch?.answered("503", "none") ?? 0];
        return accepted > 0 && refused === 0 ? [] : [`without redis ${accepted} signups accepted, ${refused} refused`];
      },
    };
  };
  const freezeRedis = (): Fault => {
    const { freezer } = system.redis;
    return withoutRedis(
      {
        kind: "SIGSTOP redis",
        label: `SIGSTOP redis, then SIGCONT${skippedWithout(freezer, NOT_LINUX)}`,
        lastsMs: random.between(FROZEN_MS.min, FROZEN_MS.max),
      },
      () => freezer?.freeze(),
      () => freezer?.thaw(),
    );
  };
  /** Redis refuses each write by MISCONF. */
  const fillRedisDisk = (): Fault => {
    const { disk } = system.redis;
    return withoutRedis(
      {
        kind: "disk of redis full",
        label: `no room for the append-only file of redis${skippedWithout(disk, "needs root and Linux")}`,
        lastsMs: random.between(FULL_MS.min, FULL_MS.max),
      },
      () => disk?.fill(),
      () => disk?.free(),
    );
  };
  /** Redis has the memory that it uses, and no more: it refuses each write by OOM. */
  const fillRedis = (): Fault => {
    const setMost = (bytes: number) => withRedis(system.redisUrl, (redis) => redis.config("SET", "maxmemory", bytes));
    return withoutRedis(
      {
        kind: "memory of redis full",
        label: "redis at its maxmemory, without eviction",
        lastsMs: random.between(FULL_MS.min, FULL_MS.max),
      },
      () => setMost(1),
      () => setMost(0),
    );
  };
  /** Its sockets stay. What it had received it does when it goes on: so a user may exist who was answered by 503. */
  const freezePostgres = (): Fault => {
    const { freezer } = system.postgres;
    const lastsMs = random.between(FROZEN_MS.min, FROZEN_MS.max);
    let watch: Watch | undefined;
    return {
      kind: "SIGSTOP postgres",
      label: `SIGSTOP postgres, then SIGCONT${skippedWithout(freezer, NOT_LINUX)}`,
      lastsMs,
      parts: ["postgres"],
      inflict: async () => {
        freezer?.freeze();
        watch = load.watch();
      },
      heal: async () => {
        watch?.stop();
        freezer?.thaw();
      },
      verify: async () =>
        freezer === undefined || lastsMs < ANSWERED_AFTER_MS || (watch?.answered("503") ?? 0) > 0
          ? []
          : [`no signup was answered in ${lastsMs} ms without postgres`],
    };
  };
  /** A commit takes for as long as this lasts: no limit of Postgres ends it. What reads is answered. */
  const stallCommits = (): Fault => {
    const lastsMs = random.between(FROZEN_MS.min, FROZEN_MS.max);
    const setStandby = (change: string) =>
      withPostgres(system.databaseUrl, async (sql) => {
        await sql.unsafe(`alter system ${change}`);
        await sql`select pg_reload_conf()`;
      });
    let watch: Watch | undefined;
    let from = "";
    return {
      kind: "commits of postgres stall",
      label: "commits of postgres wait for a standby that is away",
      lastsMs,
      parts: ["postgres"],
      inflict: async () => {
        from = new Date(Date.now() - COMMIT_MS).toISOString();
        await setStandby("set synchronous_standby_names = 'away'");
        watch = load.watch();
      },
      heal: async () => {
        watch?.stop();
        await setStandby("reset synchronous_standby_names");
        system.postgres.stalls.push({ from, to: new Date().toISOString() });
      },
      verify: async () =>
        lastsMs < ANSWERED_AFTER_MS || (watch?.answered("503") ?? 0) > 0
          ? []
          : [`no signup was answered in ${lastsMs} ms without commits`],
    };
  };
  /** Each write that needs more room is refused, or Postgres ends, if it cannot write its log. */
  const fillPostgresDisk = (): Fault => {
    const { disk } = system.postgres;
    const lastsMs = random.between(FULL_MS.min, FULL_MS.max);
    return {
      kind: "disk of postgres full",
      label: `no room for the data of postgres${skippedWithout(disk, "needs root and Linux")}`,
      lastsMs,
      parts: ["postgres"],
      inflict: async () => disk?.fill(),
      heal: async () => {
        disk?.free();
        await system.postgres.startAgain();
      },
    };
  };
  return {
    fillPostgresDisk,
    freezeRedis,
    fillRedisDisk,
    fillRedis,
    freezePostgres,
    stallCommits,
    promoteStandby,
    failOverRedis,
    killRedis,
    flush,
    flushWhileRetriesAreDelayed,
    killPostgres,
    killPooler,
    cutConnections,
    addMalformed,
  };
};
