import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { Redis } from "ioredis";
import { backlogRoute } from "../../api/operations/backlog-route.ts";
import { createServiceTokenCheck } from "../../api/operations/service-token.ts";
import { createTokenAttempts } from "../../api/operations/token-attempts.ts";
import { readBacklog } from "../../database/ledger/counts.ts";
import { GROUPS, WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../eventually.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline, redisUrl } from "../pipeline.ts";
import type { Measurement } from "./keda/measurement.ts";
import { measureMetricsApi } from "./keda/metrics-api-scaler.ts";
import { measureRedis } from "./keda/redis-scaler.ts";
import { measureRedisStreams } from "./keda/redis-streams-scaler.ts";
import { replicasFor } from "./keda/replicas.ts";
import { ofKind, overlayObjects } from "./objects.ts";
import { type Scaling, scalingOf } from "./policies/scaling.ts";
import { makeRedisUser } from "./redis-users.ts";

const TOKEN = "a-token-for-tests-alone";
const group = WELCOME_EMAIL.name;

/** The triggers that are deployed, not a copy of them; where nothing holds a minimum. */
const deployed = (): Scaling => {
  const found = ofKind(overlayObjects("local"), "ScaledObject")
    .map(scalingOf)
    .find(({ scaleTargetRef }) => scaleTargetRef.name === `consumer-${group}`);
  if (found === undefined) throw new Error(`nothing scales ${group}`);
  return found;
};

/** The api's route, on the pipeline's ledger. */
const backlogApi = ({ db }: Pipeline) =>
  new Hono().get(
    "/api/v1/backlog/:group",
    backlogRoute({
      requireServiceToken: createServiceTokenCheck({
        serviceToken: TOKEN,
        clientOf: () => "keda",
        attempts: createTokenAttempts(() => 0),
      }),
      backlog: async (name) => (GROUPS.some((known) => known.name === name) ? readBacklog(db, name) : undefined),
    }).handler,
  );

interface Seen {
  readonly by: Readonly<Record<string, Measurement>>;
  /** How many replicas result, from a current number. */
  replicasFrom(current: number): number;
}

/** What KEDA sees of a pipeline through the deployed triggers. */
const look = async (pipeline: Pipeline, redis: Redis = pipeline.redis): Promise<Seen> => {
  const { triggers, minReplicaCount, maxReplicaCount, fallback } = deployed();
  const api = backlogApi(pipeline);
  const measured = await Promise.all(
    triggers.map(async ({ type, name, metadata: written }): Promise<readonly [string, Measurement]> => {
      const metadata = Object.fromEntries(
        Object.entries(written).map(([key, value]) => [key, value.replace("{signup}", `{${pipeline.streamName}}`)]),
      );
      if (type === "redis-streams") return [name, await measureRedisStreams(redis, metadata)];
      if (type === "redis") return [name, await measureRedis(redis, metadata)];
      const ask = async (url: string, headers: Readonly<Record<string, string>>) => api.request(url, { headers });
      return [name, await measureMetricsApi(ask, TOKEN, metadata)];
    }),
  );
  const bounds = { min: minReplicaCount, max: maxReplicaCount, fallback: fallback?.replicas ?? 0 };
  return {
    by: Object.fromEntries(measured),
    replicasFrom: (current) =>
      replicasFor(
        measured.map(([, measurement]) => measurement),
        current,
        bounds,
      ),
  };
};

const value = (expected: number) => expect.objectContaining({ kind: "value", value: expected });
const signUp = (pipeline: Pipeline, count: number) =>
  pipeline.signUp(...Array.from({ length: count }, () => aSignup()));
/** As a consumer that reads `count` entries and dies. */
const readAndDie = ({ redis, keys }: Pipeline, count: number) =>
  redis.xreadgroup("GROUP", group, "dead-pod", "COUNT", count, "STREAMS", keys.events, ">");
const isAllSent = async ({ db }: Pipeline) => (await readBacklog(db, group)).unfinished === 0;

describe("what KEDA sees, by the deployed triggers", () => {
  test("nothing was ever published: zero", async () => {
    await using pipeline = await aPipeline();
    const seen = await look(pipeline);
    expect(Object.values(seen.by)).toEqual(Array(6).fill(value(0)));
    expect(seen.replicasFrom(3)).toBe(0);
  });

  test("a backlog: one from the first mail, more as it grows; a history of sent mails: zero", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 1);
    expect((await look(pipeline)).replicasFrom(0)).toBe(1);

    await signUp(pipeline, 900);
    const full = await look(pipeline);
    expect(full.by["lag"]).toEqual(value(901));
    expect(full.by["backlog"]).toEqual(value(901));
    expect(full.replicasFrom(1)).toBe(5);

    const consumer = await pipeline.consumer(anOutbox().work, { concurrency: 100 });
    await eventually(() => isAllSent(pipeline));
    await consumer.stop();
    const after = await look(pipeline);
    expect(await pipeline.redis.xlen(pipeline.keys.events)).toBe(901);
    expect(after.replicasFrom(5)).toBe(0);
  });

  test("a dead pod left entries pending: at least one, though nothing is unread", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 5);
    await readAndDie(pipeline, 5);
    const seen = await look(pipeline);
    expect(seen.by["lag"]).toEqual(value(0));
    expect(seen.by["pending"]).toEqual(value(5));
    expect(seen.replicasFrom(0)).toBe(1);
  });

  test("only delayed retries exist: one, to promote them when they are due", async () => {
    await using pipeline = await aPipeline();
    const consumer = await pipeline.consumer(async () => ({ kind: "transient", reason: "450 later" }), {
      retryDelayMs: 3_600_000,
    });
    await signUp(pipeline, 3);
    await eventually(async () => (await pipeline.redis.zcard(pipeline.keys.retrySet(group))) === 3);
    await consumer.stop();
    const seen = await look(pipeline);
    expect(seen.by["lag"]).toEqual(value(0));
    expect(seen.by["pending"]).toEqual(value(0));
    expect(seen.by["waiting-retries"]).toEqual(value(3));
    expect(seen.replicasFrom(0)).toBe(1);
  });

  test("due retries are back in the stream: they count like any entry", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 1);
    await readAndDie(pipeline, 1);
    const [entry] = await pipeline.redis.xrange(pipeline.keys.events, "-", "+");
    await pipeline.redis.xack(pipeline.keys.events, group, entry?.[0] ?? "");
    await pipeline.redis.xadd(pipeline.keys.retriesStream(group), "*", ...(entry?.[1] ?? []));
    const seen = await look(pipeline);
    expect(seen.by["lag-of-retries"]).toEqual(value(1));
    expect(seen.replicasFrom(0)).toBe(1);
  });

  test("the group is missing: KEDA counts the whole stream, and the backlog is exact", async () => {
    await using pipeline = await aPipeline();
    const [first = ""] = await signUp(pipeline, 2);
    await pipeline.db.updateTable("deliveries").set({ state: "done" }).where("event_id", "=", first).execute();
    await pipeline.redis.xgroup("DESTROY", pipeline.keys.events, group);
    const seen = await look(pipeline);
    expect(seen.by["lag"]).toEqual(value(2));
    expect(seen.by["pending"]).toEqual(expect.objectContaining({ kind: "error" }));
    expect(seen.by["backlog"]).toEqual(value(1));
    expect(seen.replicasFrom(0)).toBe(2);
    expect(seen.replicasFrom(4)).toBe(4);
  });

  test("the streams are missing, as after a flush: the lag is 0, and the backlog wakes a consumer", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 4);
    await pipeline.redis.del(pipeline.keys.events, pipeline.keys.retriesStream(group));
    const seen = await look(pipeline);
    expect(seen.by["lag"]).toEqual(value(0));
    expect(seen.by["pending"]).toEqual(expect.objectContaining({ kind: "error" }));
    expect(seen.by["backlog"]).toEqual(value(4));
    expect(seen.replicasFrom(0)).toBe(2);
  });

  test("somebody trimmed the stream past the group: the backlog keeps one until all is sent", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 6);
    await pipeline.redis.xtrim(pipeline.keys.events, "MAXLEN", 0);
    const seen = await look(pipeline);
    expect(await pipeline.redis.xlen(pipeline.keys.events)).toBe(0);
    expect(seen.by["backlog"]).toEqual(value(6));
    expect(seen.replicasFrom(0)).toBe(1);
  });

  test("the lag is nil, which go-redis reads as -1: the backlog keeps one", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 6);
    const entries = await pipeline.redis.xrange(pipeline.keys.events, "-", "+");
    await pipeline.redis.xgroup("SETID", pipeline.keys.events, group, entries[2]?.[0] ?? "");
    const seen = await look(pipeline);
    expect(seen.by["lag"]).toEqual({ kind: "value", value: -1, target: 200, isActive: false });
    expect(seen.by["backlog"]).toEqual(value(6));
    expect(seen.replicasFrom(0)).toBe(1);
  });

  test("the api is down, and Redis lost its data: what runs stays; at zero nothing starts before the api is back", async () => {
    await using pipeline = await aPipeline();
    const { by } = await look(pipeline);
    const away = await measureMetricsApi(async () => new Response("", { status: 503 }), TOKEN, { targetValue: "1000" });
    const bounds = { min: 0, max: 10, fallback: 2 };
    const measurements = Object.values({ ...by, backlog: away });
    expect([0, 1, 7].map((current) => replicasFor(measurements, current, bounds))).toEqual([0, 2, 7]);
  });
});

describe("KEDA's user in Redis", () => {
  test("may count, and nothing else", async () => {
    await using pipeline = await aPipeline();
    await signUp(pipeline, 2);
    const user = await makeRedisUser(pipeline.redis, "keda", pipeline.streamName);
    // KEDA tests its connection with PING, and does not wait for INFO to report that loading is done.
    const keda = new Redis(redisUrl(), { ...user, enableReadyCheck: false });
    try {
      expect(await keda.ping()).toBe("PONG");
      const seen = await look(pipeline, keda);
      expect(seen.by).toEqual((await look(pipeline)).by);
      expect(seen.by["waiting-retries"]).toEqual(value(0));

      const { events, retrySet } = pipeline.keys;
      const refused = [
        keda.xadd(events, "*", "a", "b"),
        keda.del(events),
        keda.xrange(events, "-", "+"),
        keda.zrange(retrySet(group), "0", "-1"),
        keda.eval("return redis.call('del', KEYS[1])", 1, events),
        keda.xlen("{another}:events"),
        keda.flushall(),
      ];
      const outcomes = await Promise.allSettled(refused);
      expect(outcomes.map(({ status }) => status)).toEqual(Array(refused.length).fill("rejected"));
    } finally {
      keda.disconnect();
      await pipeline.redis.call("ACL", "DELUSER", user.username);
    }
  });
});
