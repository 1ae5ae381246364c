import { describe, expect, test } from "bun:test";
import type { Group } from "../../stream/groups.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { anExampleGroup, EXAMPLE_GROUP } from "../../tests/example-group.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { anOperator, answerOf, deadLetter, GROUP } from "../operator-for-tests.ts";
import { countReplay, type ReplayOptions, replay } from "./replay.ts";

const everything: ReplayOptions = { from: { kind: "time", at: new Date(0) }, again: { kind: "none" }, rate: 100_000 };

/** Signups whose mails are sent; returns their event ids. */
const sentMails = async (pipeline: Pipeline, count: number) => {
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  const eventIds = await pipeline.signUp(...Array.from({ length: count }, () => aSignup()));
  await eventually(() => outbox.sent.length === count);
  for (const eventId of eventIds) await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  await consumer.stop();
  return eventIds;
};

const deliveriesOf = async ({ db }: Pipeline, group: Group) =>
  (await db.selectFrom("deliveries").select("event_id").where("group_name", "=", group.name).execute()).length;

describe.concurrent("a replay of the log", () => {
  test("gives a group that is new the whole past, also what Redis has long forgotten, and each event once", async () => {
    await using pipeline = await aPipeline();
    const eventIds = await sentMails(pipeline, 30);
    await pipeline.redis.del(pipeline.keys.events);
    const operator = anOperator(pipeline, { groups: [WELCOME_EMAIL, EXAMPLE_GROUP] });

    expect(await countReplay(operator, EXAMPLE_GROUP, everything)).toMatchObject({ read: 30, added: 30 });
    expect(await deliveriesOf(pipeline, EXAMPLE_GROUP)).toBe(0);
    expect(await replay(operator, EXAMPLE_GROUP, everything)).toMatchObject({ added: 30, stopped: false });
    expect(await replay(operator, EXAMPLE_GROUP, everything)).toMatchObject({ added: 0, inProgress: 30 });
    const done: string[] = [];
    await pipeline.start(() => anExampleGroup({ onDone: (eventId) => void done.push(eventId) }));
    await eventually(() => done.length === 30);
    expect(done.sort()).toEqual(eventIds.sort());
  });

  test("does nothing again that is done, nor what is dead or in progress, and counts it", async () => {
    await using pipeline = await aPipeline();
    await sentMails(pipeline, 2);
    await deadLetter(pipeline, 1);
    await pipeline.signUp(aSignup());
    const report = await replay(anOperator(pipeline), WELCOME_EMAIL, everything);
    expect(report).toMatchObject({ read: 4, added: 0, repeated: 0, inProgress: 1, closed: { done: 2, dead: 1 } });
    expect(await pipeline.redis.xlen(pipeline.keys.retriesStream(GROUP))).toBe(0);
  });

  test("does again what it is told to by event id, and no more, even where a note says that it was done", async () => {
    await using pipeline = await aPipeline();
    const [first = "", second = ""] = await sentMails(pipeline, 2);
    await pipeline.redis.set(pipeline.keys.sent(GROUP, first), "1");
    await pipeline.db.updateTable("deliveries").set({ uncertain: 1 }).where("event_id", "=", first).execute();
    const again = { kind: "events", eventIds: [first] } as const;
    expect(await replay(anOperator(pipeline), WELCOME_EMAIL, { ...everything, again })).toMatchObject({ repeated: 1 });
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(first))?.state === "done");
    expect(outbox.sent).toEqual([first]);
    expect((await pipeline.status(second))?.timeline.map(({ reason }) => reason)).not.toContain("replayed");
  });

  test("that dies once the ledger has requeued leaves no note by which what the reconciler brings back is skipped", async () => {
    await using pipeline = await aPipeline();
    const [eventId = "", other = ""] = await sentMails(pipeline, 2);
    const noteOf = (id: string) => pipeline.keys.sent(GROUP, id);
    for (const id of [eventId, other]) await pipeline.redis.set(noteOf(id), "1");
    const operator = anOperator(pipeline, {
      at: (step) => {
        if (step === "requeued") throw new Error("killed");
      },
    });
    const again = { kind: "events", eventIds: [eventId] } as const;
    await expect(replay(operator, WELCOME_EMAIL, { ...everything, again })).rejects.toThrow("killed");
    expect((await pipeline.status(eventId))?.state).toBe("queued");
    expect(await pipeline.redis.exists(noteOf(eventId))).toBe(0);
    // What is not to be done again keeps its note.
    expect(await pipeline.redis.exists(noteOf(other))).toBe(1);
  });

  test("keeps to its range and its types, and begins at an event", async () => {
    await using pipeline = await aPipeline();
    const operator = anOperator(pipeline, { groups: [EXAMPLE_GROUP] });
    const eventIds = await sentMails(pipeline, 3);
    const rows = await pipeline.db.selectFrom("events").select(["event_id", "created_at"]).execute();
    const ordered = rows.sort((a, b) => Number(a.created_at) - Number(b.created_at)).map((row) => row.event_id);
    expect(ordered.sort()).toEqual(eventIds.sort());
    const to = new Date(0);
    expect(await countReplay(operator, EXAMPLE_GROUP, { ...everything, to })).toMatchObject({ read: 0 });
    expect(await countReplay(operator, EXAMPLE_GROUP, { ...everything, type: "payment.#" })).toMatchObject({
      added: 0,
      otherTypes: 3,
    });
    const unknown = { kind: "event", eventId: Bun.randomUUIDv7() } as const;
    await expect(countReplay(operator, EXAMPLE_GROUP, { ...everything, from: unknown })).rejects.toThrow("no event");
  });

  test("that dies between ledger and entry leaves what the reconciler finds; run again, it goes on", async () => {
    await using pipeline = await aPipeline();
    await sentMails(pipeline, 2);
    const operator = anOperator(pipeline, {
      groups: [EXAMPLE_GROUP],
      at: () => {
        throw new Error("killed");
      },
    });
    await expect(replay(operator, EXAMPLE_GROUP, everything)).rejects.toThrow("killed");
    expect(await deliveriesOf(pipeline, EXAMPLE_GROUP)).toBe(2);
    const again = anOperator(pipeline, { groups: [EXAMPLE_GROUP] });
    expect(await replay(again, EXAMPLE_GROUP, everything)).toMatchObject({ added: 0, inProgress: 2 });
  });

  test("that is stopped says where to go on", async () => {
    await using pipeline = await aPipeline();
    await sentMails(pipeline, 3);
    const stop = new AbortController();
    const operator = anOperator(pipeline, { signal: stop.signal, onProgress: () => stop.abort() });
    const report = await replay(operator, WELCOME_EMAIL, everything);
    expect(report).toMatchObject({ stopped: true, read: 3 });
    const from = { kind: "event", eventId: report.lastEventId ?? "" } as const;
    const rest = await countReplay(anOperator(pipeline), WELCOME_EMAIL, { ...everything, from });
    // Those that one statement made are of the same moment: none is left out.
    expect(rest.read).toBeGreaterThanOrEqual(1);
  });

  test("by the command: counts first; --again-all asks for the group's name", async () => {
    await using pipeline = await aPipeline();
    await sentMails(pipeline, 2);
    const words = ["replay", "--group", GROUP, "--from", "1h"];
    expect((await answerOf(pipeline, ...words, "--dry-run")).json).toMatchObject({ dryRun: true, closed: { done: 2 } });
    const refused = await answerOf(pipeline, ...words, "--again-all");
    expect(refused).toMatchObject({ failed: true, json: { confirmed: false, repeated: 2 } });
    const wrong = await answerOf(pipeline, ...words, "--again-all", "--confirm", "yes");
    expect(wrong.failed).toBe(true);
    const answer = await answerOf(pipeline, ...words, "--again-all", "--confirm", GROUP);
    expect(answer.json).toMatchObject({ repeated: 2, stopped: false });
  });
});
