import { Redis } from "ioredis";
import postgres from "postgres";
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
    inflict: async () => {
      const sql = postgres(system.databaseUrl, { max: 1, onnotice: () => {} });
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and backend_type = 'client backend'`.catch(() => {});
      await sql.end({ timeout: 1 });
    },
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
    begin: () => void,
    end: () => void,
  ): Fault => {
    let watch: Watch | undefined;
    return {
      ...fault,
      parts: ["redis"],
      inflict: async () => {
        begin();
        watch = load.watch();
      },
      heal: async () => {
        watch?.stop();
        end();
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
  return {
    freezeRedis,
    fillRedisDisk,
    freezePostgres,
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
