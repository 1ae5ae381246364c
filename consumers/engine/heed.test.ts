import { expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { aMailGroup, anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";

test("what limits a group's work is told whether pieces wait that are read and not attempted", async () => {
  await using pipeline = await aPipeline();
  let othersWait = () => false;
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const outbox = anOutbox();
  const consumer = await pipeline.start((db) => ({
    ...aMailGroup(
      db,
      async (claim, recipient, attempt) => {
        await answered;
        return outbox.work(claim, recipient, attempt);
      },
      { concurrency: 40 },
    ),
    capacity: {
      allowed: () => 40,
      isLimited: () => false,
      words: () => undefined,
      nothingForMs: () => undefined,
      heed: (ask) => {
        othersWait = ask;
      },
    },
  }));
  expect(othersWait()).toBe(false);
  const signups = Array.from({ length: 60 }, (_, n) => aSignup({ email: `somebody@silent-${n}.example` }));
  await pipeline.signUp(...signups);
  // Of domains that nothing is known of few are under way.
  await eventually(() => consumer.kept() > 0);
  expect(othersWait()).toBe(true);
  answer();
  await eventually(() => outbox.sent.length === signups.length);
  expect(othersWait()).toBe(false);
});
