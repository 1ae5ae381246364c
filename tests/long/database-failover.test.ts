import { afterAll, beforeAll, expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { eventually } from "../eventually.ts";
import { ask, type OwnStandby, ownStandby } from "../own-standby.ts";
import { anOutbox, aPipeline, aSignup } from "../pipeline.ts";
import { aSystem, signUpAt } from "../processes.ts";

/** How long signups may fail at a promotion, in ms. */
const FAILS_AT_MOST_MS = 15_000;

let pair: OwnStandby;

beforeAll(async () => {
  pair = await ownStandby();
});
afterAll(() => pair[Symbol.asyncDispose]());

test("a standby that is promoted takes over: what was acknowledged is there, and signups and mails go on", async () => {
  const { url } = pair;
  const db = openDatabase({ url, poolSize: 4, applicationName: "test" });
  await using pipeline = await aPipeline(undefined, { url, db, drop: () => db.destroy() });
  const outbox = anOutbox();
  await pipeline.consumer(outbox.work);
  // The first address is the standby's.
  const before = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
  await eventually(async () => outbox.sent.length === before.length);

  const acknowledged = await Promise.all(Array.from({ length: 10 }, () => pipeline.writeOnly(aSignup())));
  await pair.kill();
  await pair.promote();
  const there = await ask(pair.standbyUrl, "select event_id from events");
  expect(new Set(there.map((row) => row["event_id"]))).toEqual(new Set([...before, ...acknowledged]));

  const after = await eventually(async () => pipeline.signUp(aSignup()).catch(() => false as const), 15_000);
  await eventually(async () => outbox.sent.length === before.length + 1, 15_000);
  expect(outbox.sent).toContain(after[0] ?? "");
});

test("what a standby that lags never had is gone, and wedges nothing; signups fail with 503 for 15 s at most", async () => {
  await using asynchronous = await ownStandby({ isSynchronous: false });
  await using system = await aSystem({ settings: { DATABASE_URL: asynchronous.url } });
  const api = await system.api();
  const first = await system.consumer();
  const stateOf = async (url: string, eventId: string) =>
    (
      await ask(url, `select state from deliveries where event_id = '${eventId}' and group_name = 'welcome-email'`)
    )[0]?.["state"];
  const known = await signUpAt(api);
  await eventually(async () => (await stateOf(asynchronous.primaryUrl, known.eventId)) === "done");
  await asynchronous.untilReplicated();
  first.kill("SIGKILL");
  await first.exited;

  // Acknowledged, and published; the standby has none of them.
  await asynchronous.cutOff();
  const forgotten = await Promise.all(Array.from({ length: 10 }, () => signUpAt(api)));
  expect(forgotten.map(({ status }) => status)).toEqual(forgotten.map(() => 201));
  await eventually(async () => (await ask(asynchronous.primaryUrl, "select 1 from outbox")).length === 0);

  const statuses: number[] = [];
  let isOver = false;
  let failedAt: number | undefined;
  let failedMs = 0;
  const load = (async () => {
    while (!isOver) {
      const { status } = await signUpAt(api);
      statuses.push(status);
      if (status !== 201) failedAt ??= performance.now();
      else if (failedAt !== undefined) {
        failedMs = performance.now() - failedAt;
        isOver = true;
      }
      await Bun.sleep(50);
    }
  })();
  await asynchronous.kill();
  await eventually(() => failedAt !== undefined);
  await asynchronous.promote();
  await load;
  console.log(`signups failed for ${Math.round(failedMs)} ms`);
  expect(new Set(statuses)).toEqual(new Set([201, 503]));
  expect(failedMs).toBeLessThan(FAILS_AT_MOST_MS);

  const after = await signUpAt(api);
  await system.consumer();
  await eventually(async () => (await stateOf(asynchronous.standbyUrl, after.eventId)) === "done", 30_000);
  expect(system.mailServer.copiesOf(after.eventId)).toBe(1);
  expect(system.mailServer.copiesOf(known.eventId)).toBe(1);
  for (const { eventId } of forgotten) {
    await eventually(async () => (await stateOf(asynchronous.standbyUrl, eventId)) === "cancelled", 30_000);
    expect(system.mailServer.copiesOf(eventId)).toBe(0);
  }
}, 120_000);

test("what only reads is asked of the primary, too: a standby that lags, and is named first, would not know who has just signed up", async () => {
  await using lagging = await ownStandby({ isSynchronous: false });
  await lagging.cutOff();
  const primary = openDatabase({ url: lagging.primaryUrl, poolSize: 1, applicationName: "test" });
  await using pipeline = await aPipeline(undefined, {
    url: lagging.primaryUrl,
    db: primary,
    drop: () => primary.destroy(),
  });
  const eventId = await pipeline.writeOnly(aSignup());
  const db = openDatabase({ url: lagging.url, poolSize: 4, applicationName: "test" });
  const found = await Promise.all(
    Array.from({ length: 4 }, () => db.selectFrom("events").select("event_id").execute()),
  );
  expect(found).toEqual(found.map(() => [{ event_id: eventId }]));
  await db.destroy();
});
