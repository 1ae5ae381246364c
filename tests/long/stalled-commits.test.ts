import { expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { makeRoles } from "../../database/grant-rights.ts";
import { migrateToLatest } from "../../database/migrate-to-latest.ts";
import { eventually } from "../eventually.ts";
import { aStallingPostgres } from "../own-stalling-postgres.ts";
import { ask } from "../own-standby.ts";
import { aSystem, signUpAt } from "../processes.ts";

const SIGNUPS = 30;
/** Leases end three times meanwhile, and each answer is waited for twice in vain. */
const STALL_MS = 12_000;

/** Migrated, with its roles. */
const ownPostgres = async () => {
  const server = await aStallingPostgres();
  const single = openDatabase({
    ...{ url: server.url, poolSize: 1, applicationName: "test migrations", deadlineMs: Number.POSITIVE_INFINITY },
  });
  await migrateToLatest(single);
  await makeRoles(single);
  await single.destroy();
  return server;
};

test("commits stall for longer than leases last: no mail is held, none counts as doubtful, and each is sent once", async () => {
  await using postgres = await ownPostgres();
  const settings = { DATABASE_URL: postgres.url, MAIL_UNCERTAIN: "hold", CLAIM_MIN_IDLE_MS: "3000" };
  await using system = await aSystem({ settings });
  const api = await system.api();
  const signups = await Promise.all(Array.from({ length: SIGNUPS }, () => signUpAt(api)));
  expect(signups.map(({ status }) => status)).toEqual(signups.map(() => 201));

  await postgres.stall();
  const [consumer] = await Promise.all([system.consumer(), system.consumer()]);
  const waiting = "select 1 from pg_stat_activity where wait_event = 'SyncRep' and query like '%update deliveries%'";
  await eventually(async () => (await ask(postgres.url, waiting)).length > 0);
  await eventually(async () =>
    (await (await fetch(`${consumer.url}/readyz`)).text()).includes("PostgreSQL has ended no commit since about "),
  );
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
