import { expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { aPipeline, aSignup, type MailWork } from "../pipeline.ts";
import { nothingPending, pendingCount } from "../pipeline-states.ts";

/** Pieces in vain until the others are in doubt; soon, for what is kept leaves after five seconds. */
const IN_VAIN = 12;

// Alone: what is kept leaves after five seconds, which a machine that is busy with other tests may take to get there.
test("a group keeps what is in doubt beside what it has room for, and leaves none of it behind when it stops", async () => {
  await using pipeline = await aPipeline();
  const eventIds = await pipeline.signUp(
    ...Array.from({ length: 200 }, (_, n) => aSignup({ email: `somebody@domain-${n}.example` })),
  );
  await pipeline.db
    .updateTable("deliveries")
    .set({ published_at: new Date(0) })
    .execute();
  let asked = 0;
  const answer = Promise.withResolvers<void>();
  const inVain: MailWork = async (claim, _recipient, { commit }) => {
    asked += 1;
    if (asked > IN_VAIN && commit()) await answer.promise;
    // Time in vain.
    await Bun.sleep(1);
    return { kind: "unavailable", reason: "deferred", party: claim.eventId };
  };
  const consumer = await pipeline.consumer(inVain, { concurrency: 10, retryDelayMs: 60_000, drainTimeoutMs: 60_000 });
  await eventually(async () => asked > IN_VAIN && Number(await pendingCount(pipeline)) > 40);
  // What was just read is in flight until it is kept.
  await eventually(() => consumer.inFlight() <= 10);
  const stopped = consumer.stop();
  // At once, and not when those past their commit point have an answer.
  await eventually(async () => Number(await pendingCount(pipeline)) <= 10);
  answer.resolve();
  await stopped;
  await nothingPending(pipeline);
  const { count } = await pipeline.db
    .selectFrom("deliveries")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("published_at", ">", new Date(0))
    .executeTakeFirstOrThrow();
  expect(Number(count)).toBeGreaterThan(eventIds.length - 41);
});
