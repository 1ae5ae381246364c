import { expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { aMailGroup, anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { allSent } from "../../tests/pipeline-states.ts";

test("after an outage, a consumer for which others leave no room closes its breaker, and works once there is room", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  let system: "away" | "full" | "has room" = "away";
  const consumer = await pipeline.start((db) => ({
    ...aMailGroup(
      db,
      async (claim, recipient, attempt) => {
        if (system === "away") return { kind: "unavailable", reason: "connection_refused", isUnreached: true };
        if (system === "full") return { kind: "released", reason: "no_free_connection" };
        return outbox.work(claim, recipient, attempt);
      },
      { retryDelayMs: 5 },
    ),
    capacity: {
      allowed: () => (system === "full" ? 0 : 10),
      isFull: () => system === "full",
      isLimited: () => false,
      words: () => undefined,
      nothingForMs: () => undefined,
    },
  }));
  const eventIds = await pipeline.signUp(...Array.from({ length: 8 }, () => aSignup()));
  await eventually(() => consumer.breaker() === "open");
  system = "full";
  await eventually(() => consumer.breaker() === "closed");
  expect(outbox.sent).toEqual([]);
  system = "has room";
  await allSent(pipeline, eventIds);
});
