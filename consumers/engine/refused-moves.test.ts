import { expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { sinceOf } from "../../runtime/loop.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type MailWork } from "../../tests/pipeline.ts";

const failing: MailWork = async () => ({ kind: "transient", reason: "try_later" });
const refusing: MailWork = async () => ({ kind: "rejected", reason: "policy" });

test.each<[string, MailWork]>([
  ["acking in Redis", anOutbox().work],
  ["delaying in Redis", failing],
  ["dead-lettering in Redis", refusing],
])("a consumer names that Redis refuses %s, since when, in its reports, until it succeeds", async (what, work) => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const user = `user-${randomHex(6)}`;
  await redis.acl("SETUSER", user, "on", ">secret", "~*", "&*", "+@all", "-xack");
  try {
    const consumer = await pipeline.consumer(work, { retryDelayMs: 3_600_000 });
    await consumer.redis.auth(user, "secret");
    const before = Date.now();
    await pipeline.signUp(aSignup());
    const fault = await eventually(() => consumer.faults()[what]);
    expect(fault).toStartWith("Redis refuses a command (NOPERM)");
    expect(sinceOf(fault)?.getTime()).toBeGreaterThanOrEqual(before);
    expect(consumer.report().faults).toHaveProperty([what]);
    await redis.acl("SETUSER", user, "+xack");
    await eventually(() => !(what in consumer.faults()));
    await eventually(async () => (await redis.xpending(keys.events, "welcome-email"))[0] === 0);
  } finally {
    await redis.acl("DELUSER", user);
  }
});
