import { rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import { type LocalServer, type PostgresOptions, startPostgres } from "../../local/postgres.ts";
import { type RedisOptions, startRedis } from "../../local/redis.ts";
import type { RedisProgram } from "../../local/redis-program.ts";
import { eventually } from "../eventually.ts";
import { ownPort } from "../own-port.ts";
import type { Certificate } from "./certificate.ts";
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

/** A time in which commits did not end, ISO 8601. */
export interface Stall {
  readonly from: string;
  readonly to: string;
}

export interface ReplicatedPostgres extends Store {
  /** Those that are over. */
  readonly stalls: Stall[];
  /** Of its data. Undefined where it cannot be made full. */
  readonly disk: SmallDisk | undefined;
  /** Starts it if it has ended, or ends before it answers. */
  startAgain(): Promise<void>;
  /** Makes a standby that has all that is committed from now on, then kills the primary. */
  killWithStandby(): Promise<void>;
  /** The standby takes writes. */
  promote(): Promise<void>;
}

export interface ReplicatedRedis extends Store {
  /** Where the processes reach it; with a certificate another one than that of its URL, which stays as it is. */
  readonly portOfProcesses: number;
  /** A planned failover to a new replica. The old server stays, as a replica, and drops no connection. */
  failOver(): Promise<void>;
  /** Of its append-only file. Undefined where it cannot be made full. */
  readonly disk: SmallDisk | undefined;
}

interface StoreOptions {
  readonly directory: string;
  /** What it proves who it is by; undefined: its connections are not encrypted. */
  readonly certificate: Certificate | undefined;
  /** Called with the port of the server that takes writes from now on, and with that for the processes, which may be another one. */
  readonly onMove: (port: number, portOfProcesses: number) => void;
}

const REPLICATED_WITHIN_MS = 30_000;
/** A standby needs all that was written since its copy began. */
const POSTGRES_SETTINGS = ["max_connections=200", "wal_keep_size=512MB", "max_wal_size=256MB"];
/** Room for all data of a long run, and for a standby's copy. It is memory, as far as it is used. */
const POSTGRES_DISK_KIB = 8_388_608;

/**
 * What Redis 7.0 says at its start after its disk was full, if it had been a replica before: what it has not written in full it cuts off
 * where the file ended at another time, and so leaves zeros in it. An operator starts it without.
 */
const UNREADABLE_FILE = "Bad file format reading the append only file";

const kill = async (server: LocalServer): Promise<void> => {
  try {
    process.kill(server.pid, "SIGKILL");
  } catch {
    // It has exited already.
  }
  await server.exited;
};

/** Waits until it takes writes, or has ended: then false. */
const isUp = async (server: LocalServer): Promise<boolean> => {
  let hasEnded = false;
  void server.exited.then(() => {
    hasEnded = true;
  });
  let answers = false;
  await eventually(async () => {
    const sql = postgres(server.url, { max: 1, connect_timeout: 2, onnotice: () => {} });
    answers = await sql`select 1`.then(
      () => true,
      () => false,
    );
    await sql.end({ timeout: 1 });
    return answers || hasEnded;
  });
  return answers;
};

export const startReplicatedPostgres = async ({
  directory,
  certificate,
  onMove,
}: StoreOptions): Promise<ReplicatedPostgres> => {
  const encryption =
    certificate === undefined
      ? []
      : ["ssl=on", `ssl_cert_file=${certificate.certificate}`, `ssl_key_file=${certificate.key}`];
  let generation = 1;
  const home = join(directory, "postgres");
  const disk = mountSmallDisk(home, POSTGRES_DISK_KIB);
  const optionsOf = async (settings: readonly string[] = []): Promise<PostgresOptions> => ({
    dataDirectory: join(home, `postgres-${generation}`),
    port: await ownPort(),
    settings: [...POSTGRES_SETTINGS, ...encryption, ...settings],
  });
  let options = await optionsOf();
  let server = await startPostgres(options);
  let standby: { readonly server: LocalServer; readonly options: PostgresOptions } | undefined;
  const start = async () => {
    server = await startPostgres(options);
  };
  return {
    url: server.url,
    stalls: [],
    disk,
    kill: () => kill(server),
    start,
    async startAgain() {
      // It may still be about to end for what it has met: a recovery that found no room.
      while (!(await isUp(server))) await start();
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
      // Whoever writes does not know of it before the checkpointer does; and what was committed before may still be on its way.
      await sql`checkpoint`;
      const [written] = await sql<{ lsn: string }[]>`select pg_current_wal_lsn()::text as lsn`;
      await eventually(async () => {
        const [replication] = await sql<{ has_all: boolean }[]>`
          select flush_lsn >= ${written?.lsn ?? "0/0"}::pg_lsn as has_all from pg_stat_replication`;
        return replication?.has_all === true;
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
      onMove(options.port, options.port);
      rmSync(former, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.stop(), standby?.server.stop()]);
      disk?.[Symbol.dispose]();
    },
  };
};

/** A port of its own for encrypted connections: replicas and the run itself use the other one. */
const encryptedPort = async ({ key, certificate, authority }: Certificate) => {
  const port = await ownPort();
  const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", authority];
  return { port, flags: ["--tls-port", String(port), "--tls-auth-clients", "no", ...files] };
};

export const startReplicatedRedis = async ({
  directory,
  certificate,
  onMove,
  program,
}: StoreOptions & { readonly program: RedisProgram }): Promise<ReplicatedRedis> => {
  let generation = 1;
  const home = join(directory, "redis");
  const disk = mountSmallDisk(home);
  const nextOptions = async (): Promise<RedisOptions & { readonly portOfProcesses: number }> => {
    const port = await ownPort();
    const encrypted = certificate === undefined ? { port, flags: [] } : await encryptedPort(certificate);
    const dataDirectory = join(home, `redis-${generation}`);
    return { program, dataDirectory, port, flags: encrypted.flags, portOfProcesses: encrypted.port };
  };
  let options = await nextOptions();
  let server = await startRedis(options);
  let former: { readonly server: LocalServer; readonly options: RedisOptions } | undefined;
  return {
    url: server.url,
    portOfProcesses: options.portOfProcesses,
    disk,
    kill: () => kill(server),
    start: async () => {
      server = await startRedis(options).catch((error: unknown) => {
        if (!String(error).includes(UNREADABLE_FILE)) throw error;
        console.log("       redis cannot read its append-only file, and starts without");
        rmSync(join(options.dataDirectory, "appendonlydir"), { recursive: true });
        return startRedis(options);
      });
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
      onMove(ofReplica.port, ofReplica.portOfProcesses);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([server.stop(), former?.server.stop()]);
      disk?.[Symbol.dispose]();
    },
  };
};
