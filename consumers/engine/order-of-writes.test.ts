import { describe, expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type MailWork, type TestConsumer } from "../../tests/pipeline.ts";
import { stopAt } from "../../tests/stop-at.ts";

/** The consumer dies at the checkpoint; then a peer starts, and takes over. */
const dieAt = async (stop: ReturnType<typeof stopAt>, consumer: TestConsumer): Promise<void> => {
  await stop.reached;
  consumer.crash();
};

const refusing: MailWork = async () => ({ kind: "rejected", reason: "policy" });

describe.concurrent("if a consumer dies between two writes, the next one finds", () => {
  test("deliver: a pending entry whose mail is queued, and sends it once", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("read");
    const first = await pipeline.consumer(outbox.work, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("queued");

    await pipeline.consumer(outbox.work);
    const status = await eventually(async () => {
      const now = await pipeline.status(eventId);
      return now?.state === "done" && now;
    });
    expect(outbox.sent).toEqual([eventId]);
    expect(status).toMatchObject({ attempts: 1, uncertain: 0 });
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
  });

  test("work, before the commit point: `active`, lease over: counted as uncertain, and sent", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("claimed");
    const first = await pipeline.consumer(outbox.work, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("active");

    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 1 });
  });

  test("work, after the effect, policy resend: one duplicate, counted", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("attempted", outbox.sent);
    const first = await pipeline.consumer(outbox.work, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);

    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId, eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 1 });
  });

  test("work, after the effect, policy hold: no duplicate, an operator decides", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("attempted", outbox.sent);
    const first = await pipeline.consumer(outbox.work, { ...stop, uncertain: "hold" });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);

    await pipeline.consumer(outbox.work, { uncertain: "hold" });
    await eventually(async () => (await pipeline.status(eventId))?.state === "held");
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
    expect(outbox.sent).toEqual([eventId]);
  });

  test("ledger `done`, not acked: done, so it only acks", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("recorded", outbox.sent);
    const first = await pipeline.consumer(outbox.work, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("done");

    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 0 });
  });

  test("ledger unavailable after the effect: the key notes that it was sent, so nothing is sent again", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const noted = stopAt("noted");
    const first: TestConsumer = await pipeline.consumer(outbox.work, {
      at: async (step, eventId) => {
        // The ledger goes away for this consumer in the moment after the mail server's 250.
        if (step === "attempted" && outbox.sent.includes(eventId)) await first.db.destroy();
        return noted.at(step, eventId);
      },
    });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(noted, first);
    expect((await pipeline.status(eventId))?.state).toBe("active");

    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId]);
  });

  test("retry: pending and not due, so it goes into the retry set and is sent when its time has come", async () => {
    await using pipeline = await aPipeline();
    const { db, redis, keys } = pipeline;
    const outbox = anOutbox();
    const stop = stopAt("recorded");
    // Longer than the test: its time comes when the test says so.
    const first = await pipeline.consumer(async () => ({ kind: "transient", reason: "mailbox_full" }), {
      ...stop,
      retryDelayMs: 600_000,
    });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);

    await pipeline.consumer(outbox.work);
    const [member = ""] = await eventually(async () => {
      const waiting = await redis.zrange(keys.retrySet("welcome-email"), "0", "-1");
      return waiting.length > 0 && waiting;
    });
    expect(outbox.sent).toEqual([]);
    await db
      .updateTable("deliveries")
      .set({ next_try_at: new Date(0) })
      .where("event_id", "=", eventId)
      .execute();
    await redis.zadd(keys.retrySet("welcome-email"), 1, member);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 2, uncertain: 0 });
  });

  for (const step of ["recorded", "moved"] as const) {
    test(`dead-letter, stopped at "${step}": one dead letter, with its reason`, async () => {
      await using pipeline = await aPipeline();
      const outbox = anOutbox();
      const stop = stopAt(step);
      const first = await pipeline.consumer(refusing, stop);
      const [eventId = ""] = await pipeline.signUp(aSignup());
      await dieAt(stop, first);

      await pipeline.consumer(outbox.work);
      await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
      const letters = await pipeline.redis.xrange(pipeline.keys.dead("welcome-email"), "-", "+");
      expect(letters).toHaveLength(1);
      expect(letters[0]?.[1]).toEqual(expect.arrayContaining(["event_id", eventId, "reason", "policy"]));
      expect(await pipeline.redis.hget(pipeline.keys.deadIndex("welcome-email"), eventId)).toBe(letters[0]?.[0] ?? "");
      expect(outbox.sent).toEqual([]);
    });
  }

  test("release: pending and queued, so it is claimed and sent", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("recorded");
    const first = await pipeline.consumer(async () => ({ kind: "released", reason: "stopped" }), stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("queued");

    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  });
});
