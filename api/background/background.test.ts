import { describe, expect, test } from "bun:test";
import { takeLostDeliveries } from "../../database/ledger/lost.ts";
import { requeueDeliveries } from "../../database/ledger/requeue.ts";
import { randomHex } from "../../observability/trace-context.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { readNew } from "../../stream/entries.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { watermarkAgeMs } from "../../stream/watermark.ts";
import { eventually } from "../../tests/eventually.ts";
import { EXAMPLE_GROUP } from "../../tests/example-group.ts";
import { loseEntries } from "../../tests/lost-entries.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline, redisUrl, silentLog } from "../../tests/pipeline.ts";
import { startGroupRepairer } from "./group-repairer.ts";
import { startReconciler } from "./reconciler.ts";
import { startRelay } from "./relay.ts";

const group = WELCOME_EMAIL.name;
/** Long beside what a slow machine takes from one statement to the next. */
const MINUTE_MS = 60_000;
const relayOf = ({ db, redis, keys }: Pipeline) => startRelay({ db, redis, keys, log: silentLog });
const reconcilerOf = ({ db, redis, keys }: Pipeline, reconcileAfterMs: number) =>
  startReconciler({ db, redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { reconcileAfterMs });
const outboxRows = async ({ db }: Pipeline) => (await db.selectFrom("outbox").select("event_id").execute()).length;
const isSent = (pipeline: Pipeline, eventId: string) => async () => (await pipeline.status(eventId))?.state === "done";

describe.concurrent("the relay", () => {
  test("publishes a signup whose process died before XADD, with its own trace context", async () => {
    await using pipeline = await aPipeline();
    const signup = aSignup();
    const eventId = await pipeline.writeOnly(signup);
    await using _relay = relayOf(pipeline);
    const entries = await eventually(async () => {
      const found = await pipeline.redis.xrange(pipeline.keys.events, "-", "+");
      return found.length > 0 && found;
    });
    expect(entries).toHaveLength(1);
    expect(entries[0]?.[1]).toEqual(expect.arrayContaining(["id", eventId, "traceparent", signup.event.traceparent]));
    await eventually(async () => (await outboxRows(pipeline)) === 0);
  });

  test("publishes again what died between XADD and the delete: two entries, one mail", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await outboxRows(pipeline)) === 0);
    await pipeline.db
      .insertInto("outbox")
      .values({ event_id: eventId, lease_until: null, created_at: new Date(0) })
      .execute();
    await using _relay = relayOf(pipeline);
    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.redis.xlen(pipeline.keys.events)) === 2);
    await eventually(isSent(pipeline, eventId));
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, group))[0] === 0);
    await eventually(async () => (await pipeline.redis.zcard(pipeline.keys.retrySet(group))) === 0);
    expect(outbox.sent).toEqual([eventId]);
  });

  test("shares the rows among any number of relays: each event is published once", async () => {
    await using pipeline = await aPipeline();
    const signups = Array.from({ length: 500 }, () => aSignup());
    await Promise.all(signups.map((signup) => pipeline.writeOnly(signup)));
    await pipeline.db
      .updateTable("outbox")
      .set({ created_at: new Date(0) })
      .execute();
    await using _one = relayOf(pipeline);
    await using _two = relayOf(pipeline);
    await using _three = relayOf(pipeline);
    await eventually(async () => (await outboxRows(pipeline)) === 0);
    expect(await pipeline.redis.xlen(pipeline.keys.events)).toBe(500);
  });

  test("leaves the rows where they are while Redis does not take them", async () => {
    await using pipeline = await aPipeline();
    await pipeline.redis.del(pipeline.keys.events);
    await pipeline.redis.set(pipeline.keys.events, "in the way");
    await pipeline.writeOnly(aSignup());
    await pipeline.db
      .updateTable("outbox")
      .set({ created_at: new Date(0) })
      .execute();
    await using relay = relayOf(pipeline);
    await eventually(async () => {
      const row = await pipeline.db.selectFrom("outbox").select("lease_until").executeTakeFirst();
      return row !== undefined && relay.fault() !== undefined;
    });
    expect(await outboxRows(pipeline)).toBe(1);
    expect(relay.isLive()).toBe(true);
    await pipeline.redis.del(pipeline.keys.events);
    await pipeline.db.updateTable("outbox").set({ lease_until: null }).execute();
    await eventually(async () => (await outboxRows(pipeline)) === 0);
  });
});

describe.concurrent("the reconciler", () => {
  test("brings back what a flush took, and only what is unsent", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const first = await pipeline.consumer(outbox.work);
    const [sent = ""] = await pipeline.signUp(aSignup());
    await eventually(isSent(pipeline, sent));
    await first.stop();
    const lost = await pipeline.signUp(...Array.from({ length: 20 }, () => aSignup()));
    await eventually(async () => (await outboxRows(pipeline)) === 0);
    await pipeline.redis.del(pipeline.keys.events, pipeline.keys.retriesStream(group));

    await using _keeper = startGroupRepairer({ ...pipeline, groups: [WELCOME_EMAIL], log: silentLog });
    await using _reconciler = reconcilerOf(pipeline, 1_000);
    await pipeline.consumer(outbox.work);
    for (const eventId of lost) await eventually(isSent(pipeline, eventId));
    expect([...outbox.sent].sort()).toEqual([sent, ...lost].sort());
    expect(await pipeline.redis.xlen(pipeline.keys.events)).toBe(0);
  });

  test("leaves a backlog alone: what waits in the stream is not lost", async () => {
    await using pipeline = await aPipeline();
    await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    await eventually(async () => (await outboxRows(pipeline)) === 0);
    await pipeline.db
      .updateTable("deliveries")
      .set({ published_at: new Date(Date.now() - 3_000) })
      .execute();
    await using reconciler = reconcilerOf(pipeline, 5_000);
    await eventually(async () => (await watermarkAgeMs(pipeline.redis, pipeline.keys, group)) > 0);
    await reconciler.stop();
    expect(await pipeline.redis.xlen(pipeline.keys.retriesStream(group))).toBe(0);
  });

  test("finds a delivery again that was taken by a reconciler that died before XADD", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const eventId = await pipeline.writeOnly(aSignup());
    await pipeline.db.deleteFrom("outbox").execute();
    // As the dead one left it: `published_at` is set, no entry is anywhere.
    await pipeline.db.updateTable("deliveries").set({ published_at: new Date() }).execute();
    await using _reconciler = reconcilerOf(pipeline, 1_000);
    await pipeline.consumer(outbox.work);
    await eventually(isSent(pipeline, eventId));
    expect(outbox.sent).toEqual([eventId]);
  });

  test("leaves what waits alone, also when Redis' clock was set back: its ids are from the future", async () => {
    await using pipeline = await aPipeline([WELCOME_EMAIL, EXAMPLE_GROUP]);
    const { db, redis, keys } = pipeline;
    await redis.xadd(keys.events, `${Date.now() + 3_600_000}-0`, "id", "published before the clock was set back");
    await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    await db
      .updateTable("deliveries")
      .set({ published_at: new Date(0) })
      .execute();
    // The one group is paused. The other has read everything, and its deliveries are lost.
    const [consumer, stream] = ["c", keys.events];
    const read = await readNew(redis, { group: EXAMPLE_GROUP.name, consumer, stream, count: 10 });
    await redis.xack(stream, EXAMPLE_GROUP.name, ...read.map(({ id }) => id));
    const groups = [WELCOME_EMAIL, EXAMPLE_GROUP];
    await using _reconciler = startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 20 });
    await eventually(async () => (await redis.xlen(keys.retriesStream(EXAMPLE_GROUP.name))) > 0);
    expect(await redis.xlen(keys.retriesStream(group))).toBe(0);
  });

  test("brings a delivery back more and more rarely, and holds it in the end", async () => {
    await using pipeline = await aPipeline();
    const { db } = pipeline;
    const eventId = await pipeline.writeOnly(aSignup());
    await db.deleteFrom("outbox").execute();
    const lose = async (agoMs: number) => {
      await db
        .updateTable("deliveries")
        .set({ published_at: new Date(Date.now() - agoMs) })
        .execute();
    };
    const take = (overtakenByMs = 0) =>
      takeLostDeliveries(db, { group, overtakenByMs, reconcileAfterMs: MINUTE_MS, limit: 10 });
    const idsOf = ({ lost }: Awaited<ReturnType<typeof take>>) => lost.map((event) => event.event_id);
    for (const minutes of [1, 2, 4, 8, 16, 32, 64, 64, 64, 64]) {
      await lose((minutes - 0.5) * MINUTE_MS);
      expect(idsOf(await take())).toEqual([]);
      await lose((minutes + 0.5) * MINUTE_MS);
      expect(idsOf(await take())).toEqual([eventId]);
    }
    await lose(65 * MINUTE_MS);
    expect(await take()).toEqual({ lost: [], held: [eventId] });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "held", reason: "lost_repeatedly" });

    await requeueDeliveries(db, [eventId], { group, from: "held", reason: "released" });
    await lose(1.5 * MINUTE_MS);
    expect(idsOf(await take())).toEqual([eventId]);
  });

  test("counts from the beginning once a consumer has had the delivery", async () => {
    await using pipeline = await aPipeline();
    const eventId = await pipeline.writeOnly(aSignup());
    await pipeline.db.deleteFrom("outbox").execute();
    await pipeline.db
      .updateTable("deliveries")
      .set({ published_at: new Date(0), reconciled: 5 })
      .execute();
    await using _reconciler = reconcilerOf(pipeline, 20);
    await pipeline.consumer(anOutbox().work);
    await eventually(isSent(pipeline, eventId));
    const row = await pipeline.db.selectFrom("deliveries").select("reconciled").executeTakeFirst();
    expect(row?.reconciled).toBe(0);
  });

  test("notes nothing in the timeline while Redis takes no entry", async () => {
    await using pipeline = await aPipeline();
    const { db, redis, keys } = pipeline;
    const eventId = await pipeline.writeOnly(aSignup());
    await loseEntries(pipeline);
    const user = `no-xadd-${randomHex(4)}`;
    await redis.acl("SETUSER", user, "on", "nopass", "~*", "+@all", "-xadd");
    const url = new URL(redisUrl());
    url.username = user;
    url.password = "none";
    const refused = openCommandConnection({ url: url.href, name: user, log: silentLog, commandTimeoutMs: 2_000 });
    await untilReady(refused, 5_000);
    await using reconciler = startReconciler(
      { db, redis: refused, keys, groups: [WELCOME_EMAIL], log: silentLog },
      { reconcileAfterMs: 20 },
    );
    await eventually(() => reconciler.fault()?.includes("NOPERM") === true);
    await reconciler.stop();
    refused.disconnect();
    await redis.acl("DELUSER", user);
    const { reconciled, timeline } = await db.selectFrom("deliveries").selectAll().executeTakeFirstOrThrow();
    expect({ reconciled, steps: timeline.length }).toEqual({ reconciled: 0, steps: 1 });
    expect((await pipeline.status(eventId))?.state).toBe("queued");
  });

  test("leaves alone what is final or held", async () => {
    await using pipeline = await aPipeline();
    const states = ["done", "dead", "suppressed", "cancelled", "held"] as const;
    for (const state of states) {
      const eventId = await pipeline.writeOnly(aSignup());
      await pipeline.db.updateTable("deliveries").set({ state }).where("event_id", "=", eventId).execute();
    }
    await loseEntries(pipeline);
    const unsent = await pipeline.writeOnly(aSignup());
    await loseEntries(pipeline);
    await using _reconciler = reconcilerOf(pipeline, 1_000);
    const entries = await eventually(async () => {
      const found = await pipeline.redis.xrange(pipeline.keys.retriesStream(group), "-", "+");
      return found.length > 0 && found;
    });
    expect(entries).toHaveLength(1);
    expect(entries[0]?.[1]).toContain(unsent);
  });
});
