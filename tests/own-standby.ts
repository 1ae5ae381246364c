import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { openDatabase } from "../database/connection.ts";
import { makeRoles } from "../database/grant-rights.ts";
import { migrateToLatest } from "../database/migrate-to-latest.ts";
import { type LocalServer, startPostgres } from "../local/postgres.ts";
import { randomHex } from "../observability/trace-context.ts";
import { eventually } from "./eventually.ts";
import { quickDirectory } from "./observability/prometheus-program.ts";
import { ownPort } from "./own-port.ts";

const SETTINGS = ["wal_level=replica", "max_wal_senders=4", "hot_standby=on", "max_connections=100"];

/** One statement on a connection of its own, as the administrator. */
export const ask = async (url: string, text: string) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
};

/** A primary and its standby by streaming replication, migrated. */
export interface OwnStandby extends AsyncDisposable {
  /** Of both: the standby's address first. */
  readonly url: string;
  readonly primaryUrl: string;
  readonly standbyUrl: string;
  /** Resolves when the standby has all that the primary has. */
  untilReplicated(): Promise<void>;
  /** From now on the standby receives nothing. */
  cutOff(): Promise<void>;
  /** SIGKILL of the primary's processes, as far as its first one: the others follow. */
  kill(): Promise<void>;
  promote(): Promise<void>;
}

/** `isSynchronous`: what is acknowledged is on both. */
export const ownStandby = async ({ isSynchronous = true } = {}): Promise<OwnStandby> => {
  const directory = join(quickDirectory(), `signup-stream-standby-${process.pid}-${randomHex(4)}`);
  const [own, copy] = [join(directory, "primary"), join(directory, "standby")];
  const ports = [await ownPort(), await ownPort()] as const;
  const start = (dataDirectory: string, port: number, ...settings: readonly string[]): Promise<LocalServer> =>
    startPostgres({ dataDirectory, port, durable: false, settings: [...SETTINGS, ...settings] });
  const first = await start(own, ports[0]);
  const single = openDatabase({
    url: first.url,
    poolSize: 1,
    applicationName: "test migrations",
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  await migrateToLatest(single);
  await makeRoles(single);
  await single.destroy();
  await first.stop();
  // A copy of a server that is stopped is a base backup.
  cpSync(own, copy, { recursive: true, preserveTimestamps: true });
  rmSync(`${copy}.log`, { force: true });
  writeFileSync(join(copy, "standby.signal"), "");
  // Not by an argument, which no reload could change.
  writeFileSync(join(copy, "postgresql.auto.conf"), `primary_conninfo = 'host=127.0.0.1 port=${ports[0]} user=app'\n`);
  const primary = await start(own, ports[0], ...(isSynchronous ? ["synchronous_standby_names=*"] : []));
  const standby = await start(copy, ports[1]);
  const streams = async () => ask(primary.url, "select 1 from pg_stat_replication where state = 'streaming'");
  await eventually(async () => (await streams()).length === 1);

  const { pathname } = new URL(primary.url);
  return {
    url: `postgres://app@127.0.0.1:${ports[1]},127.0.0.1:${ports[0]}${pathname}?target_session_attrs=read-write`,
    primaryUrl: primary.url,
    standbyUrl: standby.url,
    async untilReplicated() {
      const behind = "select 1 from pg_stat_replication where replay_lsn = pg_current_wal_lsn()";
      await eventually(async () => (await ask(primary.url, behind)).length === 1);
    },
    async cutOff() {
      await ask(standby.url, "alter system set primary_conninfo = ''");
      await ask(standby.url, "select pg_reload_conf()");
      await eventually(async () => (await ask(primary.url, "select 1 from pg_stat_replication")).length === 0);
    },
    async kill() {
      process.kill(primary.pid, "SIGKILL");
      await primary.exited;
    },
    async promote() {
      await ask(standby.url, "select pg_promote()");
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([primary.stop(), standby.stop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
