import { expect, test } from "bun:test";
import pino from "pino";
import type { Unclaimed } from "../../database/ledger/unclaim.ts";
import { GaveUp } from "../../runtime/persist.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { createLedger } from "./ledger.ts";
import { startUnclaimer, unclaimWaitMs } from "./unclaimer.ts";

const GROUP = "welcome-email";
const ledgerOf = ({ db }: Pipeline, options: { readonly consumer?: string; readonly isIdempotent?: boolean } = {}) =>
  createLedger(db, {
    ...{
      group: GROUP,
      consumer: "c",
      leaseMs: 1,
      expireAfterMs: undefined,
      wallClock: () => new Date(),
      isIdempotent: false,
    },
    ...{ oncePerSubject: false, uncertain: "hold", ...options },
  });
const wantedOf = (eventId: string) => [{ event_id: eventId, lookup: "ready", reason: null }] as const;
const unansweredOf = async ({ db }: Pipeline) =>
  (await db.selectFrom("deliveries").select("unanswered").executeTakeFirst())?.unanswered;

test.each([
  [0, 1_000],
  [20_000, 5_000],
  [600_000, 30_000],
])("a claim lost %d ms ago is asked for again in %d ms", (lostMs, waitMs) => {
  expect(unclaimWaitMs(lostMs)).toBe(waitMs);
});

test("a claim that arrives after the ledger was asked to undo it is undone as well", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  const ledger = ledgerOf(pipeline);
  const { redis, keys } = pipeline;
  await using unclaimer = startUnclaimer({
    redis,
    keys,
    group: GROUP,
    ledger,
    log: silentLog,
    now: () => performance.now(),
  });
  const token = Bun.randomUUIDv7();
  await unclaimer.undo(eventId, token);
  await ledger.claim(wantedOf(eventId), token);
  await eventually(async () => (await pipeline.status(eventId))?.timeline.at(-1)?.reason === "never_begun");
  expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", uncertain: 0 });
  expect(await unansweredOf(pipeline)).toBe(0);
});

test("after its end nobody waits: not for a claim that it knew, nor for another", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const ledger = { ...ledgerOf(pipeline), unclaim: () => Promise.reject(new Error("away")) };
  const now = () => performance.now();
  const unclaimer = startUnclaimer({ redis, keys, group: GROUP, ledger, log: silentLog, now });
  const known = [Bun.randomUUIDv7(), Bun.randomUUIDv7()] as const;
  const undone = [unclaimer.undo(...known), unclaimer.undo(...known)];
  await unclaimer.stop();
  undone.push(unclaimer.undo(...known), unclaimer.undo(Bun.randomUUIDv7(), Bun.randomUUIDv7()));
  for (const each of undone) expect(await each.catch((error: unknown) => error)).toBeInstanceOf(GaveUp);
});

/** An unclaimer whose ledger gives the same answer each time. */
const answered = ({ redis, keys }: Pipeline, result: Unclaimed) => {
  const times = { asked: 0, published: 0, lateMs: 0 };
  const lines: string[] = [];
  const unclaimer = startUnclaimer({
    ...{ redis, keys, group: GROUP },
    ledger: {
      unclaim: async (claims) => {
        times.asked += 1;
        return claims.map(({ event_id }) => ({ event_id, result, is_final: false }));
      },
      logged: async (eventIds) => {
        times.published += eventIds.length;
        return [];
      },
    },
    log: pino({}, { write: (line) => lines.push(line) }),
    now: () => performance.now() + times.lateMs,
  });
  return { unclaimer, times, lines };
};

test("what waits in the queue is published and told of once, however often the ledger is asked", async () => {
  await using pipeline = await aPipeline();
  const { unclaimer, times, lines } = answered(pipeline, "requeued");
  await using _ = unclaimer;
  await unclaimer.undo(Bun.randomUUIDv7(), Bun.randomUUIDv7());
  await eventually(() => times.asked >= 3);
  expect([times.published, lines.filter((line) => line.includes("undid claims")).length]).toEqual([1, 1]);
});

test("a claim whose row stays locked is given up in the end", async () => {
  await using pipeline = await aPipeline();
  const { unclaimer, times } = answered(pipeline, "locked");
  await using _ = unclaimer;
  const undone = unclaimer.undo(Bun.randomUUIDv7(), Bun.randomUUIDv7()).catch((error: unknown) => error);
  await eventually(() => times.asked >= 2);
  times.lateMs = 16 * 60_000;
  expect(await undone).toBeInstanceOf(GaveUp);
});

/** A claim that a peer has taken over. */
const takenOver = async (pipeline: Pipeline, { isIdempotent = false } = {}) => {
  const [eventId = ""] = await pipeline.signUp(aSignup());
  const token = Bun.randomUUIDv7();
  const owner = ledgerOf(pipeline, { isIdempotent });
  await owner.claim(wantedOf(eventId), token);
  const peer = ledgerOf(pipeline, { consumer: "peer", isIdempotent });
  const takeOver = async (how: "resend" | "hold") => {
    const peers = Bun.randomUUIDv7();
    const claim = () =>
      isIdempotent ? peer.claim(wantedOf(eventId), peers) : peer.claimDoubtful(wantedOf(eventId), peers, how);
    // Until the lease is over.
    await eventually(async () => (await claim()).get(eventId)?.kind !== "wait");
  };
  return { eventId, token, owner, takeOver };
};

test("a delivery that was held because of it is queued, by an answer that may be lost", async () => {
  await using pipeline = await aPipeline();
  const { eventId, token, owner, takeOver } = await takenOver(pipeline);
  await takeOver("hold");
  expect(await pipeline.status(eventId)).toMatchObject({ state: "held", uncertain: 1 });
  for (const _ of ["lost", "repeated"]) {
    const [answer] = await owner.unclaim([{ event_id: eventId, token }]);
    expect(answer).toMatchObject({ result: "requeued", is_final: false });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", uncertain: 0, reason: null });
  }
  expect(await unansweredOf(pipeline)).toBe(0);
  const [logged] = await owner.logged([eventId]);
  expect(logged?.event_id).toBe(eventId);
});

test("a delivery that was held for another doubt as well stays held, until that one is taken back", async () => {
  await using pipeline = await aPipeline();
  const { eventId, token: first, owner, takeOver } = await takenOver(pipeline);
  const between = ledgerOf(pipeline, { consumer: "between" });
  const token = Bun.randomUUIDv7();
  const resend = () => between.claimDoubtful(wantedOf(eventId), token, "resend");
  await eventually(async () => (await resend()).get(eventId)?.kind === "taken");
  await takeOver("hold");
  expect(await pipeline.status(eventId)).toMatchObject({ state: "held", uncertain: 2 });
  for (const result of ["taken back", "none"] as const) {
    expect((await between.unclaim([{ event_id: eventId, token }]))[0]).toMatchObject({ result });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "held", reason: "uncertain", uncertain: 1 });
  }
  expect((await pipeline.status(eventId))?.timeline.filter(({ state }) => state === "uncertain")).toHaveLength(1);
  expect((await owner.unclaim([{ event_id: eventId, token: first }]))[0]).toMatchObject({ result: "requeued" });
  expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", reason: null, uncertain: 0 });
  expect(await unansweredOf(pipeline)).toBe(0);
});

test("a delivery on which a peer works stays the peer's, and counts neither doubt nor death", async () => {
  await using pipeline = await aPipeline();
  const { eventId, token, owner, takeOver } = await takenOver(pipeline);
  await takeOver("resend");
  expect(await pipeline.status(eventId)).toMatchObject({ state: "active", uncertain: 1 });
  for (const result of ["taken back", "none"] as const) {
    expect((await owner.unclaim([{ event_id: eventId, token }]))[0]).toMatchObject({ result });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "active", uncertain: 0 });
    expect(await unansweredOf(pipeline)).toBe(1);
  }
  const { timeline = [] } = (await pipeline.status(eventId)) ?? {};
  expect(timeline.map(({ state, by, reason }) => [state, by, reason].join(" ").trim())).toEqual([
    "queued",
    "active c",
    "queued peer never_begun",
    "active peer",
  ]);
});

test("neither does one of idempotent work count a death", async () => {
  await using pipeline = await aPipeline();
  const { eventId, token, owner, takeOver } = await takenOver(pipeline, { isIdempotent: true });
  await takeOver("resend");
  expect(await unansweredOf(pipeline)).toBe(2);
  expect((await owner.unclaim([{ event_id: eventId, token }]))[0]).toMatchObject({ result: "taken back" });
  expect(await unansweredOf(pipeline)).toBe(1);
});
