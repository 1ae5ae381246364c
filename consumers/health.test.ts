import { expect, test } from "bun:test";
import postgres from "postgres";
import { VERSION } from "../observability/version.ts";
import { publishAll } from "../stream/publish.ts";
import { eventually } from "../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, committedEvent } from "../tests/pipeline.ts";
import { serveHealth } from "./health.ts";

test("both health answers show the version that is running", async () => {
  await using server = serveHealth([], { port: 0 });
  const ask = async (path: string) => (await fetch(new URL(path, server.url))).json();
  expect(await ask("/livez")).toEqual({ live: true, version: VERSION, groups: [] });
  expect(await ask("/readyz")).toEqual({ ready: true, version: VERSION, groups: [] });
});

test("both say in a sentence which system fails, since when, and when it is probed", async () => {
  await using pipeline = await aPipeline();
  const consumer = await pipeline.consumer(async () => ({ kind: "unavailable", reason: "connection_refused" }));
  await using server = serveHealth([consumer], { port: 0 });
  const why = async () => (await (await fetch(new URL("/readyz", server.url))).json()).groups[0].why;
  expect(await why()).toBe("All is well");
  await pipeline.signUp(...Array.from({ length: 6 }, () => aSignup()));
  await eventually(async () => /refuses connections since \d\d:\d\d UTC; next probe in/.test(await why()));
});

test("both name what waits for a lock, and since when, and stay 200; the consumer goes on when the lock is gone", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  await using server = serveHealth([consumer], { port: 0 });
  const signup = aSignup();
  const eventId = await pipeline.writeOnly(signup);
  const somebody = postgres(pipeline.url, { max: 1 });
  const { promise: untilReleased, resolve: release } = Promise.withResolvers<void>();
  const held = somebody.begin(async (sql) => {
    await sql`lock table deliveries in access exclusive mode`;
    await publishAll(pipeline.redis, pipeline.keys.events, [committedEvent(signup)]);
    await untilReleased;
  });
  for (const path of ["/livez", "/readyz"]) {
    await eventually(async () => {
      const answer = await fetch(new URL(path, server.url));
      return answer.status === 200 && /(ledger|55P03)[^}]*since \d{4}-\d\d-\d\dT/.test(await answer.text());
    });
  }
  release();
  await held;
  await eventually(() => outbox.sent.includes(eventId));
  await eventually(async () => !(await (await fetch(new URL("/readyz", server.url))).text()).includes("since"));
  await somebody.end();
});
