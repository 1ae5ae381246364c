import { randomHex } from "../../observability/trace-context.ts";
import { eventIdOfTask } from "../../ops/actions/celery/event-id.ts";
import type { ImportOrder } from "../../ops/actions/celery/import.ts";
import type { OperatorCheckpoint } from "../../ops/actions/operator.ts";
import { anOperator } from "../../ops/operator-for-tests.ts";
import { KOMBU_SEPARATOR, openCeleryQueue } from "../../stream/celery/broker.ts";
import { openCeleryResults } from "../../stream/celery/results.ts";
import type { Pipeline } from "../pipeline.ts";
import { CAPTURED, messageLike } from "./captured.ts";

/** A broker of a test's own: another prefix in the Redis of the run. */
export const aBroker = (pipeline: Pipeline, separator = KOMBU_SEPARATOR) => {
  const { redis } = pipeline;
  const keyPrefix = `celery-${randomHex(6)}:`;
  const key = (name: string) => `${keyPrefix}${name}`;
  const open = (token = randomHex(8)) => ({
    queue: openCeleryQueue({ redis, queue: "celery", keyPrefix, separator, token }),
    results: openCeleryResults({ redis, keyPrefix, markPrefix: key("email_sent:") }),
  });
  return {
    key,
    open,
    send: (text: string, priority = "") => redis.lpush(key(`celery${priority}`), text),
    hold: async (text: string, tag: string, agoS: number, [exchange, routingKey] = ["", "celery"]) => {
      await redis.hset(key("unacked"), tag, JSON.stringify([JSON.parse(text), exchange, routingKey]));
      await redis.zadd(key("unacked_index"), Date.now() / 1_000 - agoS, tag);
    },
    left: () => redis.lrange(key("celery"), 0, -1),
    keys: async () => (await redis.keys(`${keyPrefix}*`)).map((name) => name.slice(keyPrefix.length)).toSorted(),
    async [Symbol.asyncDispose]() {
      const names = await redis.keys(`${keyPrefix}*`);
      if (names.length > 0) await redis.del(...names);
    },
  };
};

export const order = (parts: Partial<ImportOrder> = {}): ImportOrder => ({
  queueName: "celery",
  task: "send_email_welcome",
  timezone: "Asia/Ho_Chi_Minh",
  locale: "vi",
  createUsers: true,
  takeUnacked: false,
  visibilityTimeoutMs: 3_600_000,
  follow: false,
  examples: 3,
  now: () => new Date(),
  onFault: () => {},
  ...parts,
});

/** A message to somebody nobody knows. */
export const aMessage = (
  parts: Omit<Parameters<typeof messageLike>[1], "id" | "args"> = {},
  name = `user-${randomHex(6)}`,
) => {
  const id = crypto.randomUUID();
  return { id, name, text: messageLike(CAPTURED.plain, { id, args: [`${name}@inbox.example`, name], ...parts }) };
};

export const statesOf = async (pipeline: Pipeline, ...messages: readonly { readonly id: string }[]) =>
  Promise.all(messages.map(async ({ id }) => (await pipeline.status(eventIdOfTask(id)))?.state ?? null));

/** An operator whose process dies at a step, once. */
export const dying = (pipeline: Pipeline, step: OperatorCheckpoint) =>
  anOperator(pipeline, {
    at: (passed) => {
      if (passed === step) throw new Error(`died: ${step}`);
    },
  });
