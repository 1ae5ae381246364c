import { describe, expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { allSent, anEvent, nothingPending } from "../../tests/pipeline-states.ts";

const group = "welcome-email";

describe("unusable entries", () => {
  test("garbage becomes dead letters with a reason; what is not its own is acked; the rest flows", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const { redis, keys } = pipeline;
    await redis.xadd(keys.events, "*", "hello", "world");
    await redis.xadd(keys.events, "*", ...anEvent("not-a-uuid", Bun.randomUUIDv7()));
    await redis.xadd(keys.events, "*", ...anEvent(Bun.randomUUIDv7(), "not-a-uuid"));
    const versioned = anEvent(Bun.randomUUIDv7(), Bun.randomUUIDv7()).map((value) =>
      value === "user.signed_up.v1" ? "user.signed_up.v9" : value,
    );
    await redis.xadd(keys.events, "*", ...versioned);
    const foreign = versioned.map((value) => (value === "user.signed_up.v9" ? "order.placed.v1" : value));
    await redis.xadd(keys.events, "*", ...foreign);
    await redis.zadd(keys.retrySet(group), 1, "not an entry");
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await pipeline.consumer(outbox.work);
    await allSent(pipeline, [eventId]);
    await nothingPending(pipeline);
    const letters = await eventually(async () => {
      const found = await redis.xrange(keys.dead(group), "-", "+");
      return found.length === 5 && found;
    });
    const reasons = letters.map(([, fields]) => fields[fields.indexOf("reason") + 1]).sort();
    expect(reasons).toEqual(["malformed", "malformed", "malformed", "malformed", "unknown_version"]);
  });
});

describe("a value that Postgres or Lua cannot take", () => {
  test("in a mail server's reply blocks nothing: the outcome is recorded without the reply", async () => {
    await using pipeline = await aPipeline();
    await pipeline.consumer(async ({ eventId }) => ({ kind: "done", reply: "250 \u0000", receipt: eventId }));
    const eventIds = await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    await allSent(pipeline, eventIds);
    await nothingPending(pipeline);
  });

  test("in an entry blocks nothing: the others are mailed", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const { redis, keys } = pipeline;
    const signup = aSignup();
    const eventId = await pipeline.writeOnly(signup);
    await redis.xadd(keys.events, "*", ...anEvent(eventId, signup.userId), "tracestate", "x=\u0000");
    const others = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
    await pipeline.consumer(outbox.work);
    await allSent(pipeline, [eventId, ...others]);
  });

  test("an entry of thousands of fields is dead-lettered, and blocks no retry", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const { redis, keys } = pipeline;
    const wide = Array.from({ length: 9_000 }, (_, index) => String(index));
    await redis.xadd(keys.events, "*", ...anEvent(Bun.randomUUIDv7(), Bun.randomUUIDv7()), ...wide);
    await redis.zadd(keys.retrySet(group), 1, JSON.stringify(wide));
    let attempts = 0;
    await pipeline.consumer(async (...args) => {
      attempts += 1;
      return attempts === 1 ? { kind: "transient", reason: "try_later" } : outbox.work(...args);
    });
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await allSent(pipeline, [eventId]);
    await eventually(async () => (await redis.xlen(keys.dead(group))) === 2);
    await nothingPending(pipeline);
  });
});
