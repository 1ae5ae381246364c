import { expect, test } from "bun:test";
import { NotAlone } from "../../../stream/celery/broker.ts";
import { CAPTURED, messageLike } from "../../../tests/celery/captured.ts";
import { aBroker, aMessage, dying, order, statesOf } from "../../../tests/celery/own-queue.ts";
import { aPipeline, aSignup } from "../../../tests/pipeline.ts";
import { anOperator } from "../../operator-for-tests.ts";
import { eventIdOfTask } from "./event-id.ts";
import { importCelery, previewImport } from "./import.ts";

test("takes what waits as a signup is written, keeps times and tries, and leaves the rest where it is", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const known = aSignup({ userName: "Bình", userNameKey: "bình" });
  // Copied from the old table: no event yet.
  const { userId, userName, userNameKey, email, emailKey, passwordHash, locale } = known;
  await pipeline.db
    .insertInto("users")
    .values({
      ...{ id: userId, user_name: userName, user_name_key: userNameKey, email, email_key: emailKey },
      ...{ password_hash: passwordHash, locale },
    })
    .execute();
  const toKnown = { id: crypto.randomUUID() };
  const [plain, later, tried, urgent, twice] = [
    aMessage(),
    aMessage({ eta: "2030-01-01T03:04:05" }),
    aMessage({ retries: 2 }),
    aMessage(),
    aMessage(),
  ];
  await broker.send(messageLike(CAPTURED.plain, { ...toKnown, args: [email.toUpperCase(), "Bình"] }));
  for (const { text } of [plain, later, tried, twice]) await broker.send(text);
  await broker.send(messageLike(twice.text, { id: crypto.randomUUID() }));
  await broker.send(urgent.text, "\x06\x166");
  const foreign = [CAPTURED.otherTask, CAPTURED.pickled, CAPTURED.callback, CAPTURED.oneArgument, "nonsense"];
  for (const text of foreign) await broker.send(text);

  const operator = anOperator(pipeline);
  const before = await broker.keys();
  const preview = await previewImport(operator, broker.open(), order());
  expect(preview).toMatchObject({ taken: { queued: 6, welcomed_before: 1 }, usersMade: 5 });
  expect(await broker.keys()).toEqual(before);
  expect(await statesOf(pipeline, plain, toKnown)).toEqual([null, null]);

  const report = await importCelery(operator, broker.open(), order());
  expect(report).toEqual({ ...preview, examples: expect.any(Array) });
  expect(report.left).toEqual({
    other_task: 1,
    unknown_encoding: 1,
    has_follow_ups: 1,
    wrong_arguments: 1,
    not_json: 1,
  });
  expect(await broker.left()).toEqual(foreign.toReversed());
  expect(await broker.keys()).toEqual(["celery"]);
  expect(await statesOf(pipeline, plain, later, tried, urgent, toKnown)).toEqual(Array(5).fill("queued"));
  expect(await pipeline.status(eventIdOfTask(tried.id))).toMatchObject({ attempts: 2 });
  expect((await pipeline.status(eventIdOfTask(later.id)))?.nextTryAt?.toISOString()).toBe("2029-12-31T20:04:05.000Z");
  const rows = await pipeline.db
    .selectFrom("events")
    .innerJoin("outbox", "outbox.event_id", "events.event_id")
    .execute();
  expect(rows).toHaveLength(6);
  expect(await importCelery(operator, broker.open(), order())).toMatchObject({ taken: {}, usersMade: 0 });
});

test("an id that two tasks about two people have: the second is left and named, and nobody's mail is lost", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const [first, second, other] = [aMessage(), aMessage(), aMessage()];
  const repeated = messageLike(second.text, { id: first.id });
  for (const text of [first.text, repeated, other.text]) await broker.send(text);
  const operator = anOperator(pipeline);
  const preview = await previewImport(operator, broker.open(), order());
  expect(preview).toMatchObject({ taken: { queued: 2 }, left: { repeated_id: 1 } });
  const report = await importCelery(operator, broker.open(), order());
  expect(report).toMatchObject({ taken: { queued: 2 }, left: { repeated_id: 1 }, usersMade: 2 });
  expect(await broker.left()).toEqual([repeated]);
  const people = await pipeline.db.selectFrom("users").select("user_name").execute();
  expect(people.map((row) => row.user_name).toSorted()).toEqual([first.name, other.name].toSorted());
  // Once it is sure whose it is, the others still are imported before.
  expect(await importCelery(operator, broker.open(), order())).toMatchObject({ taken: {}, left: { repeated_id: 1 } });
  await broker.send(first.text);
  expect(await importCelery(operator, broker.open(), order())).toMatchObject({ taken: { imported_before: 1 } });
});

test.each(["taken", "recorded"] as const)(
  "an import that dies when a message is %s makes nothing twice",
  async (step) => {
    await using pipeline = await aPipeline();
    await using broker = aBroker(pipeline);
    const [waiting, held] = [aMessage(), aMessage()];
    await broker.send(waiting.text);
    await broker.hold(held.text, "tag", 4_000);
    await expect(importCelery(dying(pipeline, step), broker.open(), order())).rejects.toThrow("died");
    // No worker gets it, and the next import finishes it first.
    expect(await broker.left()).toEqual([]);
    expect(await broker.keys()).toContain("signup-stream:import:celery");
    await importCelery(anOperator(pipeline), broker.open(), order());
    expect(await statesOf(pipeline, waiting, held)).toEqual(["queued", "uncertain"]);
    expect(await pipeline.db.selectFrom("events").select("event_id").execute()).toHaveLength(2);
    expect((await broker.keys()).filter((key) => !key.startsWith("email_sent:"))).toEqual([]);
  },
);

test.each(["list", "unacked"] as const)(
  "what was moved aside from %s goes back where it was if it is not meant any more",
  async (place) => {
    await using pipeline = await aPipeline();
    await using broker = aBroker(pipeline);
    const { id, text } = aMessage();
    await (place === "list" ? broker.send(text, "\x06\x163") : broker.hold(text, "tag", 4_000));
    const { redis } = pipeline;
    const all = () =>
      Promise.all([
        redis.lrange(broker.key("celery\x06\x163"), 0, -1),
        redis.hgetall(broker.key("unacked")),
        redis.zscore(broker.key("unacked_index"), "tag"),
      ]);
    const before = await all();
    await expect(importCelery(dying(pipeline, "taken"), broker.open(), order())).rejects.toThrow("died");
    expect(await all()).not.toEqual(before);
    const broke = broker.open();
    await broke.results.mark([id]);
    const report = await importCelery(anOperator(pipeline), broke, order({ createUsers: false }));
    expect(report).toMatchObject({ taken: {}, left: { no_such_user: expect.any(Number) } });
    expect(await all()).toEqual(before);
    expect(await broker.keys()).not.toContain("signup-stream:import:celery");
    expect(await redis.exists(broker.key(`email_sent:${id}`))).toBe(place === "list" ? 1 : 0);
  },
);

test("of a worker and an import that want one message, one gets it", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const messages = Array.from({ length: 300 }, () => aMessage());
  for (const { text } of messages) await broker.send(text);
  const worker = pipeline.redis.duplicate();
  await new Promise<void>((resolve) => worker.once("ready", () => resolve()));
  const taken: string[] = [];
  const work = async () => {
    for (
      let text = await worker.rpop(broker.key("celery"));
      text !== null;
      text = await worker.rpop(broker.key("celery"))
    ) {
      taken.push(text);
    }
  };
  await Promise.all([importCelery(anOperator(pipeline), broker.open(), order()), work()]);
  worker.disconnect();
  await importCelery(anOperator(pipeline), broker.open(), order());
  const states = await statesOf(pipeline, ...messages);
  const both = messages.filter(({ text }, at) => taken.includes(text) === (states[at] === "queued"));
  expect(both).toEqual([]);
});

test("two imports of one queue do not run at once; one that was asked to stop has stopped between batches", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const other = broker.open("other");
  await other.queue.lock();
  await expect(importCelery(anOperator(pipeline), broker.open(), order())).rejects.toThrow(NotAlone);
  await other.queue.unlock();
  for (let sent = 0; sent < 250; sent += 1) await broker.send(aMessage().text);
  const stop = new AbortController();
  const operator = anOperator(pipeline, { signal: stop.signal, onProgress: () => stop.abort() });
  expect(await importCelery(operator, broker.open(), order())).toMatchObject({ taken: { queued: 100 }, stopped: true });
  expect(await broker.left()).toHaveLength(150);
  expect(await importCelery(anOperator(pipeline), broker.open(), order())).toMatchObject({ taken: { queued: 150 } });
});

test("follows the queue until it is asked to stop, and takes what came meanwhile", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const stop = new AbortController();
  const first = aMessage();
  await broker.send(first.text);
  const second = aMessage();
  let passes = 0;
  const operator = anOperator(pipeline, {
    signal: stop.signal,
    onProgress: ({ done }) => {
      passes += 1;
      if (passes === 1) void broker.send(second.text);
      if (done === 2) stop.abort();
    },
  });
  const report = await importCelery(operator, broker.open(), order({ follow: true }));
  expect(report).toMatchObject({ taken: { queued: 2 }, stopped: true });
  expect(await statesOf(pipeline, first, second)).toEqual(["queued", "queued"]);
});
