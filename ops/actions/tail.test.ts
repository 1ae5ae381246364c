import { expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { anOperator } from "../operator-for-tests.ts";
import { tail } from "./tail.ts";
import type { TailLine } from "./tail-lines.ts";

test("a tail shows events and what becomes of them, with the rights of ops alone, and goes on after an outage", async () => {
  await using pipeline = await aPipeline();
  const stopping = new AbortController();
  const lines: TailLine[] = [];
  const said: string[] = [];
  const following = tail({
    operator: anOperator(pipeline),
    groups: pipeline.groups,
    redis: { url: pipeline.ops.redisUrl },
    show: async (more) => void lines.push(...more),
    say: (message) => void said.push(message),
    startedAt: new Date(Date.now() - 60_000),
    signal: stopping.signal,
  });
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  const of = (eventId: string) =>
    lines.filter((line) => line.eventId === eventId).map((line) => (line.kind === "event" ? line.type : line.state));
  const isShown = async () => {
    const [eventId = ""] = await pipeline.signUp(aSignup());
    const whole = ["queued", "sending", "sent", "user.signed_up.v1"];
    await eventually(() => of(eventId).toSorted().join() === whole.toSorted().join());
  };
  await isShown();
  // As in an outage: every connection of the tail is lost.
  for (const line of String(await pipeline.redis.client("LIST")).split("\n")) {
    const id = /^id=(\d+) /.exec(line)?.[1];
    if (line.includes(" name=ops-tail ") && id !== undefined) await pipeline.redis.client("KILL", "ID", id);
  }
  await isShown();
  stopping.abort();
  await following;
  await consumer.stop();
  expect(said.filter((message) => !/^Redis is (away|back)/.test(message))).toEqual([]);
});
