import { describe, expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { redisUrl } from "../pipeline.ts";
import { aSystem, eventAt, signUpAt } from "../processes.ts";
import { startProxy } from "../tcp-proxy.ts";

/** The same URL by way of the proxy. */
const through = (url: string, port: number): string => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};
const portOf = (url: string): number => Number(new URL(url).port);
const isLive = async (url: string) => (await fetch(`${url}/livez`)).ok;

describe("a connection that is silent is detected and replaced", () => {
  test("the producer's: a signup answers all the same, and its mail comes", async () => {
    await using system = await aSystem();
    await using proxy = await startProxy(portOf(redisUrl()));
    const api = await system.api({ REDIS_URL: through(redisUrl(), proxy.port) });
    await system.consumer();
    await signUpAt(api);
    proxy.silence();
    const { status, eventId } = await signUpAt(api);
    expect(status).toBe(201);
    proxy.restore();
    await eventually(async () => (await eventAt(api, eventId)).state === "sent", 20_000);
    expect(system.mailServer.copiesOf(eventId)).toBe(1);
  });

  test("the blocking reader's: it reads again, also what a lost reply had given it", async () => {
    await using system = await aSystem();
    await using proxy = await startProxy(portOf(redisUrl()));
    const api = await system.api();
    const consumer = await system.consumer({ REDIS_URL: through(redisUrl(), proxy.port) });
    const first = await signUpAt(api);
    await eventually(async () => (await eventAt(api, first.eventId)).state === "sent");
    proxy.silence();
    const lost = await signUpAt(api);
    // Redis has given the entry away; the reply never arrives.
    await eventually(async () =>
      consumer.lines.some((line) => line.includes("reconnecting") || line.includes("failed")),
    );
    proxy.restore();
    const later = await signUpAt(api);
    for (const { eventId } of [lost, later]) {
      await eventually(async () => (await eventAt(api, eventId)).state === "sent", 20_000);
      expect(system.mailServer.copiesOf(eventId)).toBe(1);
    }
    expect(await isLive(consumer.url)).toBe(true);
  });

  test("Postgres': no request hangs, and signups and mails go on once the route is back", async () => {
    await using system = await aSystem();
    await using proxy = await startProxy(portOf(system.database.url));
    const DATABASE_URL = through(system.database.url, proxy.port);
    const api = await system.api({ DATABASE_URL });
    const consumer = await system.consumer({ DATABASE_URL });
    const first = await signUpAt(api);
    await eventually(async () => (await eventAt(api, first.eventId)).state === "sent");
    proxy.silence();
    const refused = await signUpAt(api);
    expect(refused.status).toBe(503);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(503);
    expect(await isLive(api.url)).toBe(true);
    proxy.restore();
    const later = await eventually(async () => {
      const signup = await signUpAt(api);
      return signup.status === 201 && signup;
    }, 20_000);
    await eventually(async () => (await eventAt(api, later.eventId)).state === "sent", 20_000);
    expect(system.mailServer.copiesOf(later.eventId)).toBe(1);
    expect(await isLive(consumer.url)).toBe(true);
  });
});
