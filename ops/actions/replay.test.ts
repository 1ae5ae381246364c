import { describe, expect, test } from "bun:test";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { anOperator, answerOf, deadLetter, GROUP } from "../operator-for-tests.ts";
import { replay } from "./replay.ts";

describe("a replay", () => {
  test("queues what is unfinished, counts what is final, and sends no mail twice", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const outbox = anOutbox();
    const consumer = await pipeline.consumer(outbox.handler);
    const sent = await pipeline.signUp(aSignup(), aSignup());
    await eventually(() => outbox.sent.length === 2);
    await consumer.stop();
    await deadLetter(pipeline, 1);
    const [open = ""] = await pipeline.signUp(aSignup());
    await redis.xadd(keys.events, "*", "type", "order.placed.v1", "id", open);
    // The group loses its entries, as after a failover: only a replay or the reconciler publishes them again.
    await redis.xgroup("SETID", keys.events, GROUP, "$");

    const plan = await replay(anOperator(pipeline), WELCOME_EMAIL, { from: "0" }, { dryRun: true });
    expect(plan).toMatchObject({ read: 5, replayed: 1, notItsOwn: 1, closed: { sent: 2, dead: 1 } });
    expect(await redis.xlen(keys.retries(GROUP))).toBe(0);
    const report = await replay(anOperator(pipeline), WELCOME_EMAIL, { from: "0" });
    expect(report).toMatchObject({ replayed: 1, stopped: false });
    await replay(anOperator(pipeline), WELCOME_EMAIL, { from: "0" });
    await pipeline.consumer(outbox.handler);
    await eventually(async () => (await pipeline.status(open))?.state === "sent");
    await eventually(async () => (await redis.xpending(keys.retries(GROUP), GROUP))[0] === 0);
    expect([...outbox.sent].sort()).toEqual([...sent, open].sort());
  });

  test("by the command, from a time to an entry id", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    await pipeline.signUp(aSignup());
    const [[first = ""] = []] = await redis.xrange(keys.events, "-", "+");
    await Bun.sleep(2);
    await pipeline.signUp(aSignup());
    const words = ["replay", "--group", GROUP, "--from", "1h", "--to", first];
    expect((await answerOf(pipeline, ...words)).json).toMatchObject({ read: 1, replayed: 1, lastId: first });
  });
});
