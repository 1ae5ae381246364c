import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { anOwnRedis, type OwnRedis } from "../own-redis.ts";
import { aSystem, eventAt, type RunningProcess, type SignedUp, type System, signUpAt } from "../processes.ts";

const isSentOnce = async (system: System, api: RunningProcess, { eventId }: SignedUp): Promise<void> => {
  await eventually(async () => (await eventAt(api, eventId)).state === "sent", 20_000);
  const { uncertain } = await eventAt(api, eventId);
  expect(system.mailServer.copiesOf(eventId)).toBeGreaterThanOrEqual(1);
  expect(system.mailServer.copiesOf(eventId)).toBeLessThanOrEqual(1 + uncertain);
};

describe("Redis", () => {
  const shared = new AsyncDisposableStack();
  let redis: OwnRedis;
  let system: System;
  let api: RunningProcess;

  beforeAll(async () => {
    redis = shared.use(await anOwnRedis());
    system = shared.use(await aSystem({ redisUrl: redis.url }));
    api = await system.api();
  });
  afterEach(() => system.endConsumers());
  afterAll(() => shared.disposeAsync());

  test("unavailable: a signup answers 201 at once, and its mail is sent when Redis is available again", async () => {
    await system.consumer();
    await redis.kill();
    const signups = [await signUpAt(api), await signUpAt(api)];
    expect(signups.map(({ status }) => status)).toEqual([201, 201]);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    await redis.start();
    for (const signup of signups) await isSentOnce(system, api, signup);
  });

  test("killed and restarted with its data, under load: every mail, no uncounted duplicate", async () => {
    await system.consumer();
    await system.consumer();
    const before = await Promise.all(Array.from({ length: 50 }, () => signUpAt(api)));
    await redis.kill();
    const during = await Promise.all(Array.from({ length: 20 }, () => signUpAt(api)));
    await redis.start();
    for (const signup of [...before, ...during]) await isSentOnce(system, api, signup);
  });

  test("restarted empty: everything is queued again from the ledger", async () => {
    const signups = await Promise.all(Array.from({ length: 20 }, () => signUpAt(api)));
    await eventually(
      async () => (await system.database.db.selectFrom("outbox").select("event_id").execute()).length === 0,
    );
    await redis.kill();
    await redis.startEmpty();
    await system.consumer();
    for (const signup of signups) await isSentOnce(system, api, signup);
  });

  test("flushed in the middle of the work: nothing is lost, nothing is sent again", async () => {
    await system.consumer();
    const admin = new Redis(redis.url);
    const signups: SignedUp[] = [];
    for (let round = 0; round < 3; round += 1) {
      signups.push(...(await Promise.all(Array.from({ length: 30 }, () => signUpAt(api)))));
      await admin.flushall();
    }
    for (const signup of signups) await isSentOnce(system, api, signup);
    admin.disconnect();
  });
});

test("Redis, unavailable when the processes start: they become ready, and mails are sent once it is available", async () => {
  await using redis = await anOwnRedis({ running: false });
  await using system = await aSystem({ redisUrl: redis.url });
  const api = await system.api();
  await system.consumer();
  const signup = await signUpAt(api);
  expect(signup.status).toBe(201);
  await redis.start();
  await isSentOnce(system, api, signup);
});
