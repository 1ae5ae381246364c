import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../database/connection.ts";
import { makeRoles } from "../../database/grant-rights.ts";
import { migrateToLatest } from "../../database/migrate-to-latest.ts";
import { startPostgres } from "../../local/postgres.ts";
import { randomHex } from "../../observability/trace-context.ts";
import { eventually } from "../eventually.ts";
import { quickDirectory } from "../observability/prometheus-program.ts";
import { ownPort } from "../own-port.ts";
import { ask } from "../own-standby.ts";
import { aSystem, signUpAt } from "../processes.ts";

const SIGNUPS = 30;
/** Leases end three times meanwhile, and each answer is waited for twice in vain. */
const STALL_MS = 12_000;

/** A server of its own, with a setting of which others would notice. */
const ownPostgres = async () => {
  const dataDirectory = join(quickDirectory(), `signup-stream-stalled-${process.pid}-${randomHex(4)}`);
  const server = await startPostgres({ dataDirectory, port: await ownPort(), durable: false });
  const single = openDatabase({
    ...{ url: server.url, poolSize: 1, applicationName: "test migrations", deadlineMs: Number.POSITIVE_INFINITY },
  });
  await migrateToLatest(single);
  await makeRoles(single);
  await single.destroy();
  const setStandby = async (change: string) => {
    await ask(server.url, `alter system ${change}`);
    await ask(server.url, "select pg_reload_conf()");
  };
  return {
    url: server.url,
    stall: () => setStandby("set synchronous_standby_names = 'away'"),
    goOn: () => setStandby("reset synchronous_standby_names"),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
};

test("commits stall for longer than leases last: no mail is held, none counts as doubtful, and each is sent once", async () => {
  await using postgres = await ownPostgres();
  const settings = { DATABASE_URL: postgres.url, MAIL_UNCERTAIN: "hold", CLAIM_MIN_IDLE_MS: "3000" };
  await using system = await aSystem({ settings });
  const api = await system.api();
  const signups = await Promise.all(Array.from({ length: SIGNUPS }, () => signUpAt(api)));
  expect(signups.map(({ status }) => status)).toEqual(signups.map(() => 201));

  await postgres.stall();
  await Promise.all([system.consumer(), system.consumer()]);
  const waiting = "select 1 from pg_stat_activity where wait_event = 'SyncRep' and query like '%update deliveries%'";
  await eventually(async () => (await ask(postgres.url, waiting)).length > 0);
  const since = performance.now();
  await eventually(() => performance.now() - since > STALL_MS);
  await postgres.goOn();

  const ledger = "select state, uncertain, attempts from deliveries where group_name = 'welcome-email'";
  const isDone = async () => (await ask(postgres.url, ledger)).every((row) => row["state"] === "done");
  await eventually(isDone);
  const rows = await ask(postgres.url, ledger);
  expect(rows.map((row) => [row["uncertain"], row["attempts"]])).toEqual(rows.map(() => [0, 1]));
  expect(signups.map(({ eventId }) => system.mailServer.copiesOf(eventId))).toEqual(signups.map(() => 1));
}, 120_000);
