import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aSystem, eventAt, type RunningProcess, signUpAt } from "../processes.ts";
import { startProxy } from "../tcp-proxy.ts";

const portOf = (url: string): number => Number(new URL(url).port);
const healthOf = async ({ url }: RunningProcess): Promise<string> => (await fetch(`${url}/readyz`)).text();

test("a failover that drops no connection: health names the refusal and since when, and mails go on without a restart", async () => {
  await using primary = await anOwnRedis();
  await using replica = await anOwnRedis();
  await using proxy = await startProxy(portOf(primary.url));
  await using system = await aSystem({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  const [admin, other] = [new Redis(primary.url), new Redis(replica.url)];
  await other.replicaof("127.0.0.1", portOf(primary.url));
  await eventually(async () => (await admin.info("replication")).includes("state=online"), 20_000);
  const api = await system.api();
  const consumer = await system.consumer();
  const isSent = (eventId: string) => async () => (await eventAt(api, eventId)).state === "sent";
  const before = await signUpAt(api);
  await eventually(isSent(before.eventId), 20_000);

  await admin.call("FAILOVER");
  await eventually(async () => (await other.info("replication")).includes("role:master"), 20_000);
  // The address still leads to the demoted server.
  const during = await Promise.all(Array.from({ length: 6 }, () => signUpAt(api)));
  expect(during.map(({ status }) => status)).toEqual(during.map(() => 201));
  const refusal = /READONLY[^"]*since \d{4}-\d\d-\d\dT/;
  await eventually(async () => refusal.test(await healthOf(api)), 20_000);
  await eventually(async () => refusal.test(await healthOf(consumer)), 20_000);
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);

  proxy.moveTo(portOf(replica.url));
  const after = await Promise.all(Array.from({ length: 6 }, () => signUpAt(api)));
  for (const { eventId } of [...during, ...after]) {
    await eventually(isSent(eventId), 30_000);
    expect(system.mailServer.copiesOf(eventId)).toBe(1);
  }
  await eventually(async () => !(await healthOf(api)).includes("READONLY"), 20_000);
  await eventually(async () => !(await healthOf(consumer)).includes("READONLY"), 20_000);
  admin.disconnect();
  other.disconnect();
}, 90_000);
