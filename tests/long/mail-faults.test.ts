import { describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { startMailServer } from "../mail-server.ts";
import { ownPort } from "../own-port.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aSystem, eventAt, type RunningProcess, signUpAt } from "../processes.ts";

interface ConsumerHealth {
  readonly ready: boolean;
  readonly groups: readonly { readonly breaker: string; readonly in_hand: number }[];
}

const healthOf = async (consumer: RunningProcess): Promise<ConsumerHealth> =>
  (await fetch(`${consumer.url}/readyz`)).json();
const breakerIs = (consumer: RunningProcess, state: string) => async () =>
  (await healthOf(consumer)).groups[0]?.breaker === state;

describe.concurrent("a mail server that is down", () => {
  test("opens the breaker: entries are released, no attempt is used up, a stop is immediate; then all mails are sent", async () => {
    const port = await ownPort();
    await using system = await aSystem();
    const api = await system.api();
    const consumer = await system.consumer({ MAIL_PORT: String(port), RETRY_MAX: "0", CONSUMER_CONCURRENCY: "8" });
    const signups = await Promise.all(Array.from({ length: 30 }, () => signUpAt(api)));
    await eventually(breakerIs(consumer, "open"));
    expect((await healthOf(consumer)).ready).toBe(true);
    expect(consumer.lines.filter((line) => line.includes("the breaker is open"))).toHaveLength(1);

    // Asked to stop with an open breaker: nothing to wait for, nothing left behind.
    consumer.kill("SIGTERM");
    expect(await consumer.exited).toBe("exit code 0");

    const second = await system.consumer({ MAIL_PORT: String(port), RETRY_MAX: "0", CONSUMER_CONCURRENCY: "8" });
    await eventually(breakerIs(second, "open"), 20_000);
    await using back = await startMailServer({ listenOn: port });
    for (const { eventId } of signups) {
      await eventually(async () => (await eventAt(api, eventId)).state === "sent", 25_000);
      expect(back.copiesOf(eventId)).toBe(1);
      expect(await eventAt(api, eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
    }
    await eventually(breakerIs(second, "closed"));
  });
});

describe.concurrent("one bad recipient", () => {
  test("whose server always drops the connection at RCPT delays no other mail, and ends as expired", async () => {
    const mailServer = await startMailServer({
      onRcptTo: (address, session, done) => {
        if (!address.address.startsWith("drop")) return done();
        // Ends the connection without an answer.
        const { id } = session;
        for (const connection of mailServer.open()) if (connection.id === id) connection.close();
      },
    });
    await using system = await aSystem({ mailServer });
    const api = await system.api();
    await system.consumer({ MAIL_EXPIRE_AFTER_MS: "2500" });
    const bad = await signUpAt(api, { email: "drop@inbox.example" });
    const good = await Promise.all(Array.from({ length: 20 }, () => signUpAt(api)));
    for (const { eventId } of good) await eventually(async () => (await eventAt(api, eventId)).state === "sent");
    await eventually(async () => (await eventAt(api, bad.eventId)).state === "dead", 20_000);
    expect(await eventAt(api, bad.eventId)).toMatchObject({ reason: "expired", uncertain: 0 });
  });

  test("whose 250 is always lost gets as many copies as attempts, then a dead letter", async () => {
    const mailServer = await startMailServer({
      beforeReply: (raw) => {
        if (!raw.includes("lose@inbox.example")) return;
        copies += 1;
        for (const connection of mailServer.open()) connection.close();
        return new Promise(() => {});
      },
    });
    let copies = 0;
    await using system = await aSystem({ mailServer });
    const api = await system.api();
    await system.consumer({ RETRY_MAX: "2" });
    const { eventId } = await signUpAt(api, { email: "lose@inbox.example" });
    await eventually(async () => (await eventAt(api, eventId)).state === "dead", 20_000);
    expect(copies).toBe(3);
    expect(await eventAt(api, eventId)).toMatchObject({ reason: "retries_exhausted", attempts: 3, uncertain: 3 });
  });
});

test.concurrent("a Redis that is configured to lose entries is reported at the start, with the remedy", async () => {
  await using redis = await anOwnRedis();
  const admin = new Redis(redis.url);
  await admin.config("SET", "maxmemory-policy", "allkeys-lru");
  await admin.config("SET", "appendonly", "no");
  admin.disconnect();
  await using system = await aSystem({ redisUrl: redis.url });
  const api = await system.api();
  const consumer = await system.consumer();
  for (const { lines } of [api, consumer]) {
    await eventually(() => lines.some((line) => line.includes("set maxmemory-policy noeviction")));
    await eventually(() => lines.some((line) => line.includes("set appendonly yes")));
  }
});
