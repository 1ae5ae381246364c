import { describe, expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, stopAt, type TestConsumer } from "../../tests/pipeline.ts";
import type { Handler } from "./dispatcher.ts";

/** The consumer dies at the checkpoint; then a peer starts, and takes over. */
const dieAt = async (stop: ReturnType<typeof stopAt>, consumer: TestConsumer): Promise<void> => {
  await stop.reached;
  consumer.crash();
};

const refusing: Handler = async () => ({ kind: "permanent", reason: "policy", suppressAddress: false });

describe("if a consumer dies between two writes, the next one finds", () => {
  test("deliver: a pending entry whose mail is queued, and sends it once", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("read");
    const first = await pipeline.consumer(outbox.handler, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("queued");

    await pipeline.consumer(outbox.handler);
    const status = await eventually(async () => {
      const now = await pipeline.status(eventId);
      return now?.state === "sent" && now;
    });
    expect(outbox.sent).toEqual([eventId]);
    expect(status).toMatchObject({ attempts: 1, uncertain: 0 });
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
  });

  test("send, before the body: `sending`; safe but not known to be, so it is counted as uncertain and sent", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("claimed");
    const first = await pipeline.consumer(outbox.handler, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("sending");

    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.status(eventId))?.state === "sent");
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 1 });
  });

  test("send, after the 250, policy resend: one twin, counted", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("tried");
    const first = await pipeline.consumer(outbox.handler, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);

    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.status(eventId))?.state === "sent");
    expect(outbox.sent).toEqual([eventId, eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 1 });
  });

  test("send, after the 250, policy hold: no twin, an operator decides", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("tried");
    const first = await pipeline.consumer(outbox.handler, { ...stop, uncertain: "hold" });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);

    await pipeline.consumer(outbox.handler, { uncertain: "hold" });
    await eventually(async () => (await pipeline.status(eventId))?.state === "held");
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
    expect(outbox.sent).toEqual([eventId]);
  });

  test("ledger `sent`, not acked: sent, so it only acks", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("recorded");
    const first = await pipeline.consumer(outbox.handler, stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("sent");

    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 0 });
  });

  test("ledger away after the 250: the key says that it was sent, so nothing is sent again", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const noted = stopAt("sent-noted");
    const first: TestConsumer = await pipeline.consumer(outbox.handler, {
      at: async (step, eventId) => {
        // The ledger goes away for this consumer in the moment after the mail server's 250.
        if (step === "tried") await first.db.destroy();
        return noted.at(step, eventId);
      },
    });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(noted, first);
    expect((await pipeline.status(eventId))?.state).toBe("sending");

    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.status(eventId))?.state === "sent");
    expect(outbox.sent).toEqual([eventId]);
  });

  test("retry: pending and not due, so it goes into the retry set and is sent when its time has come", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("recorded");
    const first = await pipeline.consumer(async () => ({ kind: "transient", reason: "mailbox_full" }), {
      ...stop,
      retryDelayMs: 3_000,
    });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);

    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.redis.zcard(pipeline.keys.retry("welcome-email"))) === 1);
    expect(outbox.sent).toEqual([]);
    await eventually(async () => (await pipeline.status(eventId))?.state === "sent");
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 2, uncertain: 0 });
  });

  for (const step of ["recorded", "moved"] as const) {
    test(`bury, stopped at "${step}": one dead letter, with its reason`, async () => {
      await using pipeline = await aPipeline();
      const outbox = anOutbox();
      const stop = stopAt(step);
      const first = await pipeline.consumer(refusing, stop);
      const [eventId = ""] = await pipeline.signUp(aSignup());
      await dieAt(stop, first);

      await pipeline.consumer(outbox.handler);
      await eventually(async () => (await pipeline.redis.xpending(pipeline.keys.events, "welcome-email"))[0] === 0);
      const letters = await pipeline.redis.xrange(pipeline.keys.dead("welcome-email"), "-", "+");
      expect(letters).toHaveLength(1);
      expect(letters[0]?.[1]).toEqual(expect.arrayContaining(["event_id", eventId, "reason", "policy"]));
      expect(await pipeline.redis.hget(pipeline.keys.deadIndex("welcome-email"), eventId)).toBe(letters[0]?.[0] ?? "");
      expect(outbox.sent).toEqual([]);
    });
  }

  test("hand back: pending and queued, so it is claimed and sent", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const stop = stopAt("recorded");
    const first = await pipeline.consumer(async () => ({ kind: "released", reason: "stopped" }), stop);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await dieAt(stop, first);
    expect((await pipeline.status(eventId))?.state).toBe("queued");

    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.status(eventId))?.state === "sent");
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  });
});
