import { expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";

test("what everything was declined with is sent soon by consumers that were started since, long before its own delay is over", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const eventIds = await pipeline.signUp(...Array.from({ length: 20 }, () => aSignup()));
  const before = await pipeline.consumer(async ({ eventId }) => ({
    ...{ kind: "transient", reason: "greylisted", reply: "451 4.7.1 try again later" },
    ...{ party: `${eventId}.example`, minDelayMs: 300_000 },
  }));
  for (const eventId of eventIds) await eventually(async () => (await pipeline.status(eventId))?.state === "retrying");
  await before.stop();
  await pipeline.consumer(outbox.work);
  for (const eventId of eventIds) await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  expect(new Set(outbox.sent)).toEqual(new Set(eventIds));
});
