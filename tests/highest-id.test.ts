import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { opsProcess } from "../ops/operator-for-tests.ts";
import { HIGHEST_ID } from "../stream/watermark.ts";
import { eventually } from "./eventually.ts";
import { redisUrl } from "./pipeline.ts";
import { aSystem, eventAt, type System, signUpAt } from "./processes.ts";
import { asOps } from "./seen-by-operators.ts";

interface Status {
  readonly findings: readonly { readonly sentence: string; readonly remedy?: string }[];
}

const statusOf = async (system: System): Promise<Status> =>
  JSON.parse((await opsProcess(["status", "--json"], asOps(system))).out);

test("a stream that somebody gave the highest id is named, and what to type; then each mail is sent, once", async () => {
  await using system = await aSystem();
  const { events } = system.keys;
  const api = await system.api();
  await system.consumer();
  const redis = new Redis(redisUrl());
  const status = () => statusOf(system);
  try {
    const before = await signUpAt(api);
    await redis.xadd(events, HIGHEST_ID, "by", "hand");
    const during = await signUpAt(api);
    expect(during.status).toBe(201);
    const [first, ...others] = (await status()).findings;
    expect(first?.sentence).toMatch(
      /^Somebody gave the stream \{\S+\}:events of Redis the highest id that there is, so that it takes no further entry: signups succeed, and their events wait in the outbox \(1, the oldest for .*\); none is lost$/,
    );
    expect(first?.remedy).toStartWith(`redis-cli UNLINK '${events}'`);
    expect(others.filter(({ sentence }) => sentence.includes("relay"))).toEqual([]);
    await eventually(async () =>
      (await (await fetch(`${api.url}/readyz`)).text()).includes(
        "a stream of Redis is at the highest id, and takes no entry",
      ),
    );
    await redis.unlink(events);
    for (const { eventId } of [before, during]) {
      await eventually(async () => (await eventAt(api, eventId)).state === "sent", 20_000);
      expect(system.mailServer.copiesOf(eventId)).toBe(1);
    }
    const isOver = async () => (await status()).findings.every(({ sentence }) => !sentence.includes("highest id"));
    await eventually(isOver, 20_000);
  } finally {
    redis.disconnect();
  }
}, 90_000);

test("so is a group's stream of retries, to which the reconciler adds what Redis has lost", async () => {
  await using system = await aSystem();
  const { events, retriesStream } = system.keys;
  const retries = retriesStream("welcome-email");
  const api = await system.api();
  const redis = new Redis(redisUrl());
  try {
    const { eventId } = await signUpAt(api);
    await redis.xadd(retries, HIGHEST_ID, "by", "hand");
    await redis.unlink(events);
    await system.consumer();
    await eventually(async () =>
      (await (await fetch(`${api.url}/readyz`)).text()).includes('reconciler":"a stream of Redis is at the highest id'),
    );
    const named = (await statusOf(system)).findings.find(({ sentence }) => sentence.includes("highest id"));
    expect(named?.sentence).toContain(`gave the stream ${retries} of Redis the highest id`);
    expect(named?.remedy).toStartWith(`redis-cli UNLINK '${retries}'`);
    await redis.unlink(retries);
    await eventually(async () => (await eventAt(api, eventId)).state === "sent", 20_000);
    expect(system.mailServer.copiesOf(eventId)).toBe(1);
  } finally {
    redis.disconnect();
  }
}, 90_000);
