import { describe, expect, test } from "bun:test";
import { countLetters } from "../../stream/dead-letters.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { anOutbox, aPipeline } from "../../tests/pipeline.ts";
import { anOperator, deadLetter, GROUP } from "../operator-for-tests.ts";
import { drop } from "./drop.ts";
import { redrive } from "./redrive.ts";

describe("a drop", () => {
  test("deletes the letter and its index entry; the delivery stays dead, and its timeline says for what reason it died, and who gave it up", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const [eventId = "", other = ""] = await deadLetter(pipeline, 2);
    expect(await drop(anOperator(pipeline), WELCOME_EMAIL, { kind: "one", id: eventId })).toMatchObject({ dropped: 1 });
    expect(await redis.hkeys(keys.deadIndex(GROUP))).toEqual([other]);
    expect(await countLetters(redis, keys, GROUP)).toBe(1);
    const status = await pipeline.status(eventId);
    expect(status).toMatchObject({ state: "dead", reason: "dropped_by_operator" });
    expect(status?.timeline.at(-2)).toMatchObject({ state: "dead", reason: "mailbox_unavailable" });
    expect(status?.timeline.at(-1)).toMatchObject({ state: "dead", by: "ops", reason: "dropped_by_operator" });
  });

  test("by reason or of all; a dry run counts; a later redrive finds nothing", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    await deadLetter(pipeline, 2, "content_refused");
    await deadLetter(pipeline, 3, "retries_exhausted");
    const operator = anOperator(pipeline);
    const plan = await drop(operator, WELCOME_EMAIL, { kind: "all" }, { dryRun: true });
    expect(plan).toMatchObject({ letters: 5, dropped: 0, byReason: { content_refused: 2, retries_exhausted: 3 } });
    await drop(operator, WELCOME_EMAIL, { kind: "reason", reason: "content_refused" });
    expect(await countLetters(redis, keys, GROUP)).toBe(3);
    expect(await drop(operator, WELCOME_EMAIL, { kind: "all" })).toMatchObject({ letters: 3, dropped: 3 });
    expect(await redrive(operator, WELCOME_EMAIL, { kind: "all" })).toMatchObject({ letters: 0, redriven: 0 });
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    expect(await redis.hlen(keys.deadIndex(GROUP))).toBe(0);
    expect(outbox.sent).toEqual([]);
  });
});
