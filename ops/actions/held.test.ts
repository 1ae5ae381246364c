import { describe, expect, test } from "bun:test";
import { listHeldDeliveries } from "../../database/ledger/held.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { startOtlpReceiver } from "../../tests/otlp-receiver.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { CALLER, exportingTo, KIND, only, TRACEPARENT } from "../../tests/received-traces.ts";
import { anOperator, answerOf, environmentOf, GROUP, opsProcess, textOf } from "../operator-for-tests.ts";
import { dropHeld, releaseAll, releaseHeld } from "./held.ts";

const group = WELCOME_EMAIL;

/** Mails that were cut off after their commit point, under the policy "hold". */
const hold = async (pipeline: Pipeline, count: number, parts?: Parameters<typeof aSignup>[0]): Promise<string[]> => {
  const consumer = await pipeline.consumer(async () => ({ kind: "uncertain", reason: "cut_off" }), {
    uncertain: "hold",
  });
  const eventIds = await pipeline.signUp(...Array.from({ length: count }, () => aSignup(parts)));
  await eventually(
    async () => (await listHeldDeliveries(pipeline.db, { group: GROUP, limit: count })).length === count,
  );
  await consumer.stop();
  return eventIds;
};

describe.concurrent("held deliveries", () => {
  test("are released: queued with fresh counters, still uncertain, and sent once, even by a consumer that holds", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = "", other = ""] = await hold(pipeline, 2);
    expect(await releaseHeld(anOperator(pipeline), group, [eventId])).toEqual([eventId]);
    expect(await releaseHeld(anOperator(pipeline), group, [eventId])).toEqual([]);
    expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", attempts: 0, uncertain: 1 });
    await pipeline.consumer(outbox.work, { uncertain: "hold" });
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId]);
    expect((await pipeline.status(other))?.state).toBe("held");
  });

  test("are released all at once", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await hold(pipeline, 12);
    expect(await releaseAll(anOperator(pipeline), group)).toMatchObject({ released: 12, stopped: false });
    await pipeline.consumer(outbox.work);
    await eventually(() => outbox.sent.length === 12);
  });

  test("are published with a send span in the trace of their signup, which their entries carry", async () => {
    await using pipeline = await aPipeline();
    await using receiver = startOtlpReceiver();
    await hold(pipeline, 1, { event: { traceparent: TRACEPARENT } });
    const environment = { ...environmentOf(pipeline), ...exportingTo(receiver) };
    expect(await opsProcess(["held", "release", "--all"], environment)).toMatchObject({ code: 0 });
    const span = only(receiver.spans.filter(({ kind }) => kind === KIND.producer));
    expect(span).toMatchObject({ traceId: CALLER.traceId, service: "signup-stream-ops" });
    const [[, fields = []] = []] = await pipeline.redis.xrange(pipeline.keys.retriesStream(GROUP), "-", "+");
    expect(fields[fields.indexOf("traceparent") + 1]).toBe(`00-${CALLER.traceId}-${span.spanId}-01`);
  });

  test("are dropped: dead, without a dead letter", async () => {
    await using pipeline = await aPipeline();
    const [eventId = ""] = await hold(pipeline, 1);
    expect(await dropHeld(anOperator(pipeline), group, [eventId])).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ state: "dead", reason: "dropped_by_operator" });
    expect(await pipeline.redis.xlen(pipeline.keys.dead(GROUP))).toBe(0);
  });

  test("are listed with the time at which they are released by themselves, if there is one", async () => {
    await using pipeline = await aPipeline();
    await hold(pipeline, 1);
    const consumer = await pipeline.consumer(async () => ({ kind: "held", reason: "used_up", forMs: 3_600_000 }));
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await pipeline.status(eventId))?.state === "held");
    await consumer.stop();
    const list = await textOf(pipeline, "held", "list");
    expect(list).toMatch(/cut_off +1 +1 .* ago +by you/);
    expect(list).toMatch(/used_up .* ago +in 59 min/);
    expect(list).toContain("1 cut_off, 1 used_up");
    expect(await textOf(pipeline, "find", eventId)).toMatch(/held until +in 59 min/);
    expect((await answerOf(pipeline, "held", "list", "--reason", "used_up")).json).toMatchObject({
      deliveries: [{ eventId }],
    });
    await expect(answerOf(pipeline, "held", "list", "--reason", "nosuch")).rejects.toThrow("are: cut_off, used_up");
    await expect(answerOf(pipeline, "held", "release", "--reason", "nosuch")).rejects.toThrow("are: cut_off, used_up");
    const release = await answerOf(pipeline, "held", "release", "--reason", "used_up");
    expect(release.json).toEqual({ released: 1, stopped: false });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", nextTryAt: null });
  });

  test("are listed, dropped and released by the commands", async () => {
    await using pipeline = await aPipeline();
    const [first = "", second = ""] = await hold(pipeline, 2);
    const held = (await answerOf(pipeline, "held", "list")).json;
    expect(held).toMatchObject({
      deliveries: expect.arrayContaining([
        expect.objectContaining({ eventId: first, group: GROUP, uncertain: 1, reason: "cut_off", heldUntil: null }),
        expect.objectContaining({ eventId: second, heldAt: expect.any(Date) }),
      ]),
      byReason: { cut_off: 2 },
      next: null,
    });
    expect((await answerOf(pipeline, "held", "drop", first)).json).toEqual({ dropped: [first] });
    expect((await answerOf(pipeline, "held", "release", "--all")).json).toEqual({ released: 1, stopped: false });
    expect((await answerOf(pipeline, "held", "release", second)).failed).toBe(true);
  });
});
