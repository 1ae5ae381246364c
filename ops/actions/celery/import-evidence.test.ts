import { expect, test } from "bun:test";
import { randomHex } from "../../../observability/trace-context.ts";
import { aBroker, aMessage, order, statesOf } from "../../../tests/celery/own-queue.ts";
import { aPipeline, redisUrl } from "../../../tests/pipeline.ts";
import { anOperator } from "../../operator-for-tests.ts";
import { eventIdOfTask } from "./event-id.ts";
import { importCelery } from "./import.ts";
import { openBroker } from "./open-broker.ts";

test("whoever was mailed is not mailed again, whoever says so; and users are made only if that is asked for", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const { redis } = pipeline;
  const [marked, succeeded, failed, revoked, unknown] = [aMessage(), aMessage(), aMessage(), aMessage(), aMessage()];
  for (const { text } of [marked, succeeded, failed, revoked, unknown]) await broker.send(text);
  const counted = aMessage();
  await broker.send(counted.text);
  await redis.set(broker.key(`email_sent:${marked.id}`), "1");
  await redis.hset(broker.key(`email_sent:${counted.id}`), "times", "1");
  const result = (id: string, status: string) =>
    redis.set(broker.key(`celery-task-meta-${id}`), JSON.stringify({ status, result: null, task_id: id }));
  await Promise.all([result(succeeded.id, "SUCCESS"), result(failed.id, "FAILURE"), result(revoked.id, "REVOKED")]);

  const operator = anOperator(pipeline);
  expect(await importCelery(operator, broker.open(), order({ createUsers: false }))).toMatchObject({
    taken: {},
    left: { no_such_user: 6 },
  });
  expect(await broker.left()).toHaveLength(6);
  expect(await importCelery(operator, broker.open(), order())).toMatchObject({
    taken: { queued: 1, done: 3, held: 1 },
    left: { revoked: 1 },
  });
  expect(await statesOf(pipeline, marked, succeeded, failed, unknown)).toEqual(["done", "done", "held", "queued"]);
  const { reason, receipt } = await pipeline.db
    .selectFrom("deliveries")
    .select(["reason", "receipt"])
    .where("event_id", "=", eventIdOfTask(marked.id))
    .executeTakeFirstOrThrow();
  expect([reason, receipt]).toEqual(["sent_by_celery", `celery:${marked.id}`]);
});

test("results have a prefix of their own, joined as Celery joins it", async () => {
  await using pipeline = await aPipeline();
  const [keyPrefix, own] = [`celery-${randomHex(6)}:`, `results-${randomHex(6)}`];
  const names = { shared: `${keyPrefix}celery-task-meta-1`, own: `${own}_celery-task-meta-2` };
  for (const name of Object.values(names)) await pipeline.redis.set(name, '{"status":"SUCCESS"}');
  const successes = async (resultsKeyPrefix: string | undefined) => {
    const options = { broker: redisUrl(), results: undefined, queue: "celery", keyPrefix, resultsKeyPrefix };
    const broker = await openBroker({ ...options, separator: undefined });
    const evidence = await broker.results.evidence(["1", "2"]);
    broker.close();
    return ["1", "2"].filter((id) => evidence.get(id)?.status === "SUCCESS");
  };
  expect([await successes(undefined), await successes(own)]).toEqual([["1"], ["2"]]);
  await pipeline.redis.del(...Object.values(names));
});

test("what a worker holds is left to it, until it has held it for too long: then no worker may send it any more", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const [fresh, stale, waiting] = [aMessage(), aMessage(), aMessage({ eta: "2030-01-01T03:04:05" })];
  await broker.hold(fresh.text, "fresh", 10);
  await broker.hold(stale.text, "stale", 4_000);
  await broker.hold(waiting.text, "waiting", 4_000);
  const operator = anOperator(pipeline);
  expect(await importCelery(operator, broker.open(), order())).toMatchObject({
    taken: { uncertain: 1, queued: 1 },
    left: { held_by_worker: 1 },
  });
  expect(await statesOf(pipeline, fresh, stale, waiting)).toEqual([null, "uncertain", "queued"]);
  expect(await pipeline.redis.hkeys(broker.key("unacked"))).toEqual(["fresh"]);
  expect(await pipeline.redis.get(broker.key(`email_sent:${stale.id}`))).toBe("signup-stream");
  expect(await importCelery(operator, broker.open(), order({ takeUnacked: true }))).toMatchObject({
    taken: { uncertain: 1 },
  });
  expect((await broker.keys()).filter((key) => !key.startsWith("email_sent:"))).toEqual([]);
});

test("what a worker gave back, or had for too long, may have been sent, and may still be in its memory", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline);
  const again = ({ text, ...rest }: ReturnType<typeof aMessage>) => {
    const message = JSON.parse(text);
    return { ...rest, text: JSON.stringify({ ...message, headers: { ...message.headers, redelivered: true } }) };
  };
  const [restored, waiting, other] = [again(aMessage()), again(aMessage({ eta: "2030-01-01T03:04:05" })), aMessage()];
  for (const { text } of [restored, waiting, other]) await broker.send(text);
  expect(await importCelery(anOperator(pipeline), broker.open(), order())).toMatchObject({
    taken: { uncertain: 1, queued: 2 },
  });
  expect(await statesOf(pipeline, restored, waiting, other)).toEqual(["uncertain", "queued", "queued"]);
  // Whoever still has them asks for the mark, and leaves them.
  const marks = [restored, waiting, other].map(({ id }) => broker.key(`email_sent:${id}`));
  expect(await pipeline.redis.mget(marks)).toEqual(["signup-stream", "signup-stream", null]);
});

test("an app with a sep of its own, and with topics: all of the queue is found, and nothing of another", async () => {
  await using pipeline = await aPipeline();
  await using broker = aBroker(pipeline, ":");
  const { redis } = pipeline;
  await redis.sadd(broker.key("_kombu.binding.tasks"), "mail.#:^mail\\..*?$:celery", "other.*:^other\\.[^\\.]+$:other");
  const [plain, urgent, topic, elsewhere] = [aMessage(), aMessage(), aMessage(), aMessage()];
  await broker.send(plain.text);
  await broker.send(urgent.text, ":6");
  await broker.hold(topic.text, "topic", 4_000, ["tasks", "mail.welcome.vi"]);
  await broker.hold(elsewhere.text, "elsewhere", 4_000, ["tasks", "other.welcome"]);
  expect(await importCelery(anOperator(pipeline), broker.open(), order())).toMatchObject({
    taken: { uncertain: 1, queued: 2 },
  });
  expect(await statesOf(pipeline, plain, urgent, topic, elsewhere)).toEqual(["queued", "queued", "uncertain", null]);
  expect(await redis.hkeys(broker.key("unacked"))).toEqual(["elsewhere"]);
});
