import { expect, test } from "bun:test";
import { startReconciler } from "../api/background/reconciler.ts";
import { redrive } from "../ops/actions/redrive.ts";
import { anOperator, deadLetter, GROUP } from "../ops/operator-for-tests.ts";
import { countLetters } from "../stream/dead-letters.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { anOutbox, aPipeline, silentLog } from "./pipeline.ts";
import { nothingPending } from "./pipeline-states.ts";

test("a redrive that dies between its two writes: the reconciler publishes the event, and its letter makes no duplicate", async () => {
  await using pipeline = await aPipeline();
  const { db, redis, keys } = pipeline;
  const outbox = anOutbox();
  const [eventId = ""] = await deadLetter(pipeline, 1);
  const dying = anOperator(pipeline, {
    at: () => {
      throw new Error("killed");
    },
  });
  await expect(redrive(dying, WELCOME_EMAIL, { kind: "all" })).rejects.toThrow("killed");
  expect((await pipeline.status(eventId))?.state).toBe("queued");
  expect([await countLetters(redis, keys, GROUP), await redis.xlen(keys.retriesStream(GROUP))]).toEqual([1, 0]);

  await pipeline.consumer(outbox.work);
  await using _ = startReconciler(
    { db, redis, keys, groups: [WELCOME_EMAIL], log: silentLog },
    { reconcileAfterMs: 200 },
  );
  await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  const again = await redrive(anOperator(pipeline), WELCOME_EMAIL, { kind: "all" });
  expect(again).toMatchObject({ letters: 1, redriven: 0, settled: 1 });
  await nothingPending(pipeline);
  expect(outbox.sent).toEqual([eventId]);
  expect(await countLetters(redis, keys, GROUP)).toBe(0);
});
