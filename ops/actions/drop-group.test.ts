import { describe, expect, test } from "bun:test";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { anExampleGroup, EXAMPLE_GROUP } from "../../tests/example-group.ts";
import { aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { anOperator, answerOf } from "../operator-for-tests.ts";
import { dropGroupAndWork } from "./drop-group.ts";

/** Not in stream/groups.ts: orphaned, as far as the command knows. */
const ORPHAN = EXAMPLE_GROUP.name;
const twoGroups = () => aPipeline([WELCOME_EMAIL, EXAMPLE_GROUP]);
const signUp = (pipeline: Pipeline, count: number) =>
  pipeline.signUp(...Array.from({ length: count }, () => aSignup()));
const isOnTheLog = async ({ redis, keys }: Pipeline) =>
  JSON.stringify(await redis.xinfo("GROUPS", keys.events)).includes(`"${ORPHAN}"`);

describe("dropping a group", () => {
  test("cancels what it has not finished or holds, and nothing of another group", async () => {
    await using pipeline = await twoGroups();
    const { db } = pipeline;
    const [queued = "", held = "", done = ""] = await signUp(pipeline, 3);
    for (const [eventId, state] of [
      [held, "held"],
      [done, "done"],
    ] as const) {
      await db
        .updateTable("deliveries")
        .set({ state })
        .where("event_id", "=", eventId)
        .where("group_name", "=", ORPHAN)
        .execute();
    }
    const refused = await answerOf(pipeline, "group", "drop", ORPHAN);
    expect(refused).toMatchObject({
      failed: true,
      json: { dropped: false, cancelled: 0, lost: { openDeliveries: 2 } },
    });
    expect((await pipeline.status(queued, ORPHAN))?.state).toBe("queued");

    const answer = await answerOf(pipeline, "group", "drop", ORPHAN, "--yes");
    expect(answer.json).toMatchObject({ group: ORPHAN, dropped: true, cancelled: 2, stopped: false });
    expect(answer.text((_, text) => text)).toContain("2 deliveries cancelled");
    for (const eventId of [queued, held]) {
      const delivery = await pipeline.status(eventId, ORPHAN);
      expect(delivery).toMatchObject({ state: "cancelled", reason: "group_dropped" });
      expect(delivery?.timeline.at(-1)).toMatchObject({ state: "cancelled", by: "ops", reason: "group_dropped" });
      expect((await pipeline.status(eventId))?.state).toBe("queued");
    }
    expect((await pipeline.status(done, ORPHAN))?.state).toBe("done");
    expect(await isOnTheLog(pipeline)).toBe(false);
  });

  test("that is declared, keeps its deliveries: the api makes it again, and the work is done", async () => {
    await using pipeline = await twoGroups();
    const [eventId = ""] = await signUp(pipeline, 1);
    const answer = await answerOf(pipeline, "group", "drop", WELCOME_EMAIL.name, "--force", "--yes");
    expect(answer.json).toMatchObject({ dropped: true, cancelled: 0, lost: { openDeliveries: 1 } });
    expect((await pipeline.status(eventId))?.state).toBe("queued");
  });

  test("takes an attempt in flight its delivery: what it reports later changes nothing", async () => {
    await using pipeline = await twoGroups();
    const started = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<{ readonly kind: "transient"; readonly reason: string }>();
    const consumer = await pipeline.start(() =>
      anExampleGroup({
        onDone: () => {},
        outcome: () => {
          started.resolve();
          return decided.promise;
        },
      }),
    );
    const [eventId = ""] = await signUp(pipeline, 1);
    await started.promise;
    const fence = async () =>
      await pipeline.db
        .selectFrom("deliveries")
        .select("fence")
        .where("event_id", "=", eventId)
        .where("group_name", "=", ORPHAN)
        .executeTakeFirstOrThrow();
    const before = await fence();
    expect(await dropGroupAndWork(anOperator(pipeline), ORPHAN)).toMatchObject({ cancelled: 1, dropped: true });
    expect((await fence()).fence).toBe(before.fence + 1);
    decided.resolve({ kind: "transient", reason: "too_late" });
    await consumer.stop();
    expect(await pipeline.status(eventId, ORPHAN)).toMatchObject({ state: "cancelled", reason: "group_dropped" });
  });

  test("in batches; one that is stopped leaves Redis as it is, and is finished by the next", async () => {
    await using pipeline = await twoGroups();
    const ids = await Promise.all(Array.from({ length: 501 }, () => pipeline.writeOnly(aSignup())));
    const stop = new AbortController();
    const operator = anOperator(pipeline, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(await dropGroupAndWork(operator, ORPHAN)).toEqual({
      group: ORPHAN,
      cancelled: 500,
      dropped: false,
      stopped: true,
    });
    expect(await isOnTheLog(pipeline)).toBe(true);
    expect(await dropGroupAndWork(anOperator(pipeline), ORPHAN)).toMatchObject({ cancelled: 1, dropped: true });
    const states = await pipeline.db
      .selectFrom("deliveries")
      .select(["event_id", "state"])
      .where("group_name", "=", ORPHAN)
      .execute();
    expect(states.filter(({ state }) => state === "cancelled")).toHaveLength(ids.length);
  });

  test("of which only the ledger is left, ends its deliveries; of an unknown one, says so", async () => {
    await using pipeline = await twoGroups();
    const { redis, keys } = pipeline;
    const eventId = await pipeline.writeOnly(aSignup());
    await redis.xgroup("DESTROY", keys.events, ORPHAN);
    await redis.del(keys.retriesStream(ORPHAN));
    const answer = await answerOf(pipeline, "group", "drop", ORPHAN, "--yes");
    expect(answer).toMatchObject({ json: { cancelled: 1, dropped: false } });
    expect(answer.failed).not.toBe(true);
    expect((await pipeline.status(eventId, ORPHAN))?.state).toBe("cancelled");
    await expect(answerOf(pipeline, "group", "drop", ORPHAN, "--yes")).rejects.toThrow("there is no group");
  });
});
