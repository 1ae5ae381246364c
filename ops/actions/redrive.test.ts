import { describe, expect, test } from "bun:test";
import { countLetters } from "../../stream/dead-letters.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { nothingPending } from "../../tests/pipeline-states.ts";
import { anOperator, deadLetter, GROUP } from "../operator-for-tests.ts";
import { fateOf, redrive } from "./redrive.ts";

const letters = ({ redis, keys }: Pipeline) => countLetters(redis, keys, GROUP);
const queued = ({ redis, keys }: Pipeline) => redis.xlen(keys.retriesStream(GROUP));
const all = { kind: "all" } as const;

describe("a redrive", () => {
  test("of one delivery: queued with fresh counters, its letter and index entry gone, done", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = "", other = ""] = await deadLetter(pipeline, 2);
    const report = await redrive(anOperator(pipeline), WELCOME_EMAIL, { kind: "one", id: eventId.toUpperCase() });
    expect(report).toMatchObject({ letters: 1, redriven: 1, byReason: { mailbox_unavailable: 1 } });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", attempts: 0, reason: null });
    expect((await pipeline.status(eventId))?.timeline.at(-1)).toMatchObject({ by: "ops", reason: "redriven" });
    expect(await pipeline.redis.hkeys(pipeline.keys.deadIndex(GROUP))).toEqual([other]);

    const [[, fields] = ["", []]] = await pipeline.redis.xrange(pipeline.keys.retriesStream(GROUP), "-", "+");
    expect(fields).toContain(eventId);
    for (const counter of ["attempts", "firstfailure", "lastfailure", "crashes"]) expect(fields).not.toContain(counter);

    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent).toEqual([eventId]);
    expect((await pipeline.status(other))?.state).toBe("dead");
  });

  test("of what the other system was not reached for before: without the count of that, which would delay it", async () => {
    await using pipeline = await aPipeline();
    let calls = 0;
    const consumer = await pipeline.consumer(
      async () => {
        calls += 1;
        if (calls === 1) return { kind: "unavailable", reason: "connection_refused", isUnreached: true };
        return { kind: "rejected", reason: "no_such_address", reply: "550 5.1.1 nobody" };
      },
      { retryDelayMs: 5 },
    );
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await letters(pipeline)) === 1);
    consumer.crash();
    await pipeline.redis.xtrim(pipeline.keys.retriesStream(GROUP), "MAXLEN", 0);
    await redrive(anOperator(pipeline), WELCOME_EMAIL, all);
    const [[, fields] = ["", []]] = await pipeline.redis.xrange(pipeline.keys.retriesStream(GROUP), "-", "+");
    expect(fields).toContain(eventId);
    expect(fields).not.toContain("unreached");
  });

  test("of everything, twice at once, with consumers running: each delivery once, no letter left", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const eventIds = await deadLetter(pipeline, 600);
    await pipeline.consumer(outbox.work, { concurrency: 50 });
    await pipeline.consumer(outbox.work, { concurrency: 50 });
    const reports = await Promise.all([1, 2].map(() => redrive(anOperator(pipeline), WELCOME_EMAIL, all)));
    await eventually(() => outbox.sent.length >= eventIds.length);
    await nothingPending(pipeline);
    expect([...outbox.sent].sort()).toEqual([...eventIds].sort());
    expect(await letters(pipeline)).toBe(0);
    const moved = reports.reduce((sum, report) => sum + report.redriven + report.returned, 0);
    const late = reports.reduce((sum, report) => sum + report.gone + report.settled, 0);
    expect(moved).toBe(600);
    expect(late).toBeLessThanOrEqual(600);
  });

  test("that died and is run again at once: the entry is republished once", async () => {
    await using pipeline = await aPipeline();
    const [eventId = ""] = await deadLetter(pipeline, 1);
    const dying = anOperator(pipeline, { at: () => Promise.reject(new Error("killed")) });
    await expect(redrive(dying, WELCOME_EMAIL, all)).rejects.toThrow("killed");
    const again = await redrive(anOperator(pipeline), WELCOME_EMAIL, { kind: "one", id: eventId });
    expect(again).toMatchObject({ letters: 1, returned: 1 });
    expect([await letters(pipeline), await queued(pipeline)]).toEqual([0, 1]);
  });

  test("of 2,000 letters works in batches, reports its progress, and stops after one when asked to", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const eventIds = await deadLetter(pipeline, 2_000);
    const controller = new AbortController();
    const progress: number[] = [];
    const stopping = anOperator(pipeline, {
      signal: controller.signal,
      onProgress: ({ done }) => {
        progress.push(done);
        if (progress.length === 2) controller.abort();
      },
    });
    const first = await redrive(stopping, WELCOME_EMAIL, all);
    expect(first).toMatchObject({ redriven: 1_000, stopped: true });
    expect(progress).toEqual([500, 1_000]);
    const rest = await redrive(anOperator(pipeline), WELCOME_EMAIL, all);
    expect(rest).toMatchObject({ redriven: 1_000, stopped: false });
    await pipeline.consumer(outbox.work, { concurrency: 250 });
    await eventually(() => outbox.sent.length >= eventIds.length);
    expect(new Set(outbox.sent).size).toBe(2_000);
  });

  test("by reason redrives only those letters; a dry run counts and does nothing", async () => {
    await using pipeline = await aPipeline();
    await deadLetter(pipeline, 3, "content_refused");
    await deadLetter(pipeline, 2, "retries_exhausted");
    const selection = { kind: "reason", reason: "content_refused" } as const;
    const plan = await redrive(anOperator(pipeline), WELCOME_EMAIL, selection, { dryRun: true });
    expect(plan).toMatchObject({ letters: 3, redriven: 3, dryRun: true });
    expect(await letters(pipeline)).toBe(5);
    const done = await redrive(anOperator(pipeline), WELCOME_EMAIL, selection);
    expect(done).toMatchObject({ letters: 3, redriven: 3, byReason: { content_refused: 3 } });
    expect(await letters(pipeline)).toBe(2);
  });

  test("republishes an unreadable entry unchanged, by its letter id, and leaves a letter without an entry", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const raw = ["type", "user.signed_up.v1", "id", "not-a-uuid", "data", "{"];
    await redis.xadd(keys.events, "*", ...raw);
    const consumer = await pipeline.consumer(anOutbox().work);
    await eventually(async () => (await letters(pipeline)) === 1);
    await consumer.stop();
    const empty = await redis.xadd(keys.dead(GROUP), "*", "reason", "written by hand", "fields", "{}");
    const [[letterId = ""] = []] = await redis.xrange(keys.dead(GROUP), "-", "+");
    const report = await redrive(anOperator(pipeline), WELCOME_EMAIL, { kind: "one", id: letterId });
    expect(report).toMatchObject({ letters: 1, returned: 1, byReason: { malformed: 1 } });
    expect((await redis.xrange(keys.retriesStream(GROUP), "-", "+"))[0]?.[1]).toEqual(raw);

    const rest = await redrive(anOperator(pipeline), WELCOME_EMAIL, all);
    expect(rest).toMatchObject({ letters: 1, unreadable: 1 });
    expect((await redis.xrange(keys.dead(GROUP), "-", "+")).map(([id]) => id)).toEqual([empty ?? ""]);
  });

  test("of a dead delivery whose letter Redis has lost: recovered from the ledger", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = ""] = await deadLetter(pipeline, 1);
    await pipeline.redis.del(pipeline.keys.dead(GROUP), pipeline.keys.deadIndex(GROUP));
    const report = await redrive(anOperator(pipeline), WELCOME_EMAIL, { kind: "one", id: eventId });
    expect(report).toMatchObject({ letters: 0, redriven: 1 });
    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  });

  test("of a letter that has lost its entry: the event is rebuilt from the ledger", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const outbox = anOutbox();
    const [eventId = ""] = await deadLetter(pipeline, 1);
    await redis.del(keys.dead(GROUP), keys.deadIndex(GROUP));
    await redis.xadd(keys.dead(GROUP), "*", "event_id", eventId, "reason", "mailbox_unavailable", "fields", "[]");
    expect(await redrive(anOperator(pipeline), WELCOME_EMAIL, all)).toMatchObject({ letters: 1, redriven: 1 });
    expect(await letters(pipeline)).toBe(0);
    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  });
});

test.each([
  [undefined, "return"],
  ["dead", "redrive"],
  ["queued", "return"],
  ["active", "return"],
  ["retrying", "return"],
  ["uncertain", "return"],
  ["held", "settle"],
  ["done", "settle"],
  ["suppressed", "settle"],
  ["cancelled", "settle"],
] as const)("a letter whose delivery is %p: %s", (was, fate) => {
  expect(fateOf(was)).toBe(fate);
});
