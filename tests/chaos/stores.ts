import { rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import { type LocalServer, type PostgresOptions, startPostgres } from "../../local/postgres.ts";
import { type RedisOptions, startRedis } from "../../local/redis.ts";
import type { RedisProgram } from "../../local/redis-program.ts";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import { createFreezer, type Freezer } from "./frozen.ts";
import { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
import { copyForStandby } from "./standby.ts";

/** A store of a run: it is killed, restarted, frozen, and replaced by its replica. */
export interface Store extends AsyncDisposable {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Undefined where it cannot be frozen. */
  readonly freezer: Freezer | undefined;
}

export interface ReplicatedPostgres extends Store {
  /** Makes a standby that has all that is committed from now on, then kills the primary. */
  killWithStandby(): Promise<void>;
  /** The standby takes writes. */
  promote(): Promise<void>;
}

export interface ReplicatedRedis extends Store {
  /** A planned failover to a new replica. The old server stays, as a replica, and drops no connection. */
  failOver(): Promise<void>;
  /** Of its append-only file. Undefined where it cannot be made full. */
  readonly disk: SmallDisk | undefined;
}

interface StoreOptions {
  readonly directory: string;
  /** Called with the port of the server that takes writes from now on. */
  readonly onMove: (port: number) => void;
}

const REPLICATED_WITHIN_MS = 30_000;
/** A standby needs all that was written since its copy began. */
const POSTGRES_SETTINGS = ["max_connections=200", "wal_keep_size=512MB"];

const kill = async (server: LocalServer): Promise<void> => {
  try {
    process.kill(server.pid, "SIGKILL");
  } catch {
    // It has exited already.
  }
  await server.exited;
};

export const startReplicatedPostgres = async ({ directory, onMove }: StoreOptions): Promise<ReplicatedPostgres> => {
  let generation = 1;
  const optionsOf = async (settings: readonly string[] = []): Promise<PostgresOptions> => ({
    dataDirectory: join(directory, `postgres-${generation}`),
    port: await ownPort(),
    settings: [...POSTGRES_SETTINGS, ...settings],
  });
  let options = await optionsOf();
  let server = await startPostgres(options);
  let standby: { readonly server: LocalServer; readonly options: PostgresOptions } | undefined;
  return {
    url: server.url,
    kill: () => kill(server),
    start: async () => {
      server = await startPostgres(options);
    },
    freezer: createFreezer(() => server.pid),
    async killWithStandby() {
      generation += 1;
      const ofStandby = await optionsOf([`primary_conninfo=host=127.0.0.1 port=${options.port} user=app`]);
      const sql = postgres(server.url, { max: 1, onnotice: () => {} });
      await copyForStandby(sql, options.dataDirectory, ofStandby.dataDirectory);
      standby = { server: await startPostgres(ofStandby), options: ofStandby };
      // From now on a commit waits for the standby.
      await sql`alter system set synchronous_standby_names = '*'`;
      await sql`select pg_reload_conf()`;
      await eventually(async () => {
        const [replication] = await sql<{ sync_state: string }[]>`select sync_state from pg_stat_replication`;
        return replication?.sync_state === "sync";
      }, REPLICATED_WITHIN_MS);
      await kill(server);
      await sql.end({ timeout: 1 });
    },
    async promote() {
      if (standby === undefined) throw new Error("there is no standby to promote");
      const sql = postgres(standby.server.url, { max: 1, onnotice: () => {} });
      await sql`select pg_promote()`;
      await sql.end();
      const former = options.dataDirectory;
      ({ server, options } = standby);
      standby = undefined;
      onMove(options.port);
      rmSync(former, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.stop(), standby?.server.stop()]);
    },
  };
};

export const startReplicatedRedis = async ({
  directory,
  onMove,
  program,
}: StoreOptions & { readonly program: RedisProgram }): Promise<ReplicatedRedis> => {
  let generation = 1;
  const home = join(directory, "redis");
  const disk = mountSmallDisk(home);
  const nextOptions = async (): Promise<RedisOptions> => ({
    program,
    dataDirectory: join(home, `redis-${generation}`),
    port: await ownPort(),
  });
  let options = await nextOptions();
  let server = await startRedis(options);
  let former: { readonly server: LocalServer; readonly options: RedisOptions } | undefined;
  return {
    url: server.url,
    disk,
    kill: () => kill(server),
    start: async () => {
      server = await startRedis(options);
    },
    freezer: createFreezer(() => server.pid),
    async failOver() {
      await former?.server.stop();
      if (former !== undefined) rmSync(former.options.dataDirectory, { recursive: true, force: true });
      generation += 1;
      const ofReplica = await nextOptions();
      const replica = await startRedis(ofReplica);
      const [primary, other] = [new Redis(server.url), new Redis(replica.url)];
      await other.replicaof("127.0.0.1", options.port);
      await eventually(async () => (await primary.info("replication")).includes("state=online"), REPLICATED_WITHIN_MS);
      await primary.call("FAILOVER");
      await eventually(async () => (await other.info("replication")).includes("role:master"), REPLICATED_WITHIN_MS);
      primary.disconnect();
      other.disconnect();
      former = { server, options };
      server = replica;
      options = ofReplica;
      onMove(ofReplica.port);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.stop(), former?.server.stop()]);
      disk?.[Symbol.dispose]();
    },
  };
};
