import { describe, expect, test } from "bun:test";
import { requeueDeliveries } from "../../database/ledger/requeue.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type MailWork, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { startReleaser } from "./releaser.ts";

const group = WELCOME_EMAIL.name;
const releaserOf = ({ db, redis, keys }: Pipeline) =>
  startReleaser({ db, redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { everyMs: 20 });

/** Work that holds each piece once, for an hour; then it sends. */
const heldOnce = (): { readonly sent: readonly string[]; readonly work: MailWork } => {
  const { sent, work } = anOutbox();
  const seen = new Set<string>();
  return {
    sent,
    work: async (claim, ...rest) => {
      if (seen.has(claim.eventId)) return work(claim, ...rest);
      seen.add(claim.eventId);
      return { kind: "held", reason: "used_up", forMs: 3_600_000 };
    },
  };
};

const states = async ({ db }: Pipeline) => {
  const rows = await db.selectFrom("deliveries").select("state").execute();
  return rows.map(({ state }) => state);
};

const letTimePass = ({ db }: Pipeline) =>
  db
    .updateTable("deliveries")
    .set({ next_try_at: new Date(0) })
    .where("next_try_at", "is not", null)
    .execute();

describe.concurrent("the releaser", () => {
  test("queues what is held until a time, once, when that time has come, however many of them run", async () => {
    await using pipeline = await aPipeline();
    const { sent, work } = heldOnce();
    await pipeline.consumer(work);
    const eventIds = await pipeline.signUp(...Array.from({ length: 60 }, () => aSignup()));
    await eventually(async () => (await states(pipeline)).every((state) => state === "held"));
    // A busy machine may have passed over some before.
    const queued = () => pipeline.redis.xlen(pipeline.keys.retriesStream(group));
    const before = await queued();
    await using _one = releaserOf(pipeline);
    await using _two = releaserOf(pipeline);
    expect(await queued()).toBe(before);

    await letTimePass(pipeline);
    await eventually(async () => (await states(pipeline)).every((state) => state === "done"));
    expect([...sent].sort()).toEqual([...eventIds].sort());
    const { timeline, attempts } = (await pipeline.status(eventIds[0] ?? "")) ?? {};
    expect(timeline?.map(({ state, reason }) => [state, reason])).toEqual([
      ["queued", undefined],
      ["active", undefined],
      ["held", "used_up"],
      ["queued", "hold_over"],
      ["active", undefined],
      ["done", undefined],
    ]);
    expect(attempts).toBe(1);
  });

  test("leaves alone what waits for an operator, and what an operator released before its time", async () => {
    await using pipeline = await aPipeline();
    const consumer = await pipeline.consumer(async () => ({ kind: "held", reason: "who_knows" }));
    const [waiting = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await pipeline.status(waiting))?.state === "held");
    await consumer.stop();
    const { sent, work } = heldOnce();
    await pipeline.consumer(work);
    const [early = "", due = ""] = await pipeline.signUp(aSignup(), aSignup());
    for (const id of [early, due]) await eventually(async () => (await pipeline.status(id))?.state === "held");
    const { db, redis, keys } = pipeline;
    const released = await requeueDeliveries(db, [early], { group, from: "held", reason: "released" });
    await enqueueLogged(redis, keys.retriesStream(group), released);
    await eventually(() => sent.length === 1);

    await letTimePass(pipeline);
    await using _releaser = releaserOf(pipeline);
    await eventually(() => sent.length === 2);
    expect(sent).toEqual([early, due]);
    expect(await pipeline.status(waiting)).toMatchObject({ state: "held", reason: "who_knows", nextTryAt: null });
  });

  test("keeps the age: what is held again and again is dead once it has expired", async () => {
    await using pipeline = await aPipeline();
    const consumer = await pipeline.consumer(async () => ({ kind: "held", reason: "used_up", forMs: 3_600_000 }));
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await pipeline.status(eventId))?.state === "held");
    await pipeline.db
      .updateTable("deliveries")
      .set({ queued_at: new Date(0) })
      .execute();
    await letTimePass(pipeline);
    await using _releaser = releaserOf(pipeline);
    await eventually(async () => (await pipeline.status(eventId))?.state === "dead");
    expect((await pipeline.status(eventId))?.reason).toBe("expired");
    await consumer.stop();
  });

  test("releases nothing while Redis does not answer: it would wait where no consumer sees it", async () => {
    await using pipeline = await aPipeline();
    await pipeline.consumer(async () => ({ kind: "held", reason: "used_up", forMs: 3_600_000 }));
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await pipeline.status(eventId))?.state === "held");
    await letTimePass(pipeline);
    const away = pipeline.redis.duplicate({ lazyConnect: true });
    away.disconnect();
    const { db, keys } = pipeline;
    await using releaser = startReleaser({ db, redis: away, keys, groups: [WELCOME_EMAIL], log: silentLog });
    await eventually(() => releaser.fault() !== undefined);
    expect((await pipeline.status(eventId))?.state).toBe("held");
    expect(await requeueDeliveries(db, [eventId], { group, from: "held", reason: "released" })).toHaveLength(1);
  });
});
