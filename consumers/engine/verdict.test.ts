import { expect, test } from "bun:test";
import { claimDeliveries } from "../../database/ledger/claim.ts";
import { settleDeliveries } from "../../database/ledger/settle.ts";
import { aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { POISON_AFTER } from "./suspects.ts";
import { verdictBefore } from "./verdict.ts";

const owner = { group: "welcome-email", consumer: "c" };
/** A lease that has run out as soon as it is given. */
const options = {
  ...owner,
  leaseMs: 0,
  expireAfterMs: undefined,
  wallClockMs: 0,
  isIdempotent: true,
  uncertain: "resend",
} as const;

const claim = async ({ db }: Pipeline, eventId: string) => {
  const wanted = { event_id: eventId, lookup: "ready", reason: null } as const;
  const claimed = (await claimDeliveries(db, [wanted], { ...options, token: Bun.randomUUIDv7() })).get(eventId);
  if (claimed?.kind !== "taken") throw new Error(`expected to claim it, but it is ${claimed?.kind}`);
  return claimed;
};

/** As Redis counts them, if it has them from before an outcome. */
const diedOften = { deathsAlone: 100, isNoted: false };
const neverAlone = { deathsAlone: 0, isNoted: false };

const settlement = { attempts: 0, system_failures: 0, uncertain: 0, delay_ms: null, receipt: null, reply: null };
const released = { ...settlement, state: "queued", reason: "lease_lost" } as const;

test("claims whose consumers died alone with it make poison; those that a living consumer released do not", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  for (let round = 0; round < 2 * POISON_AFTER; round += 1) {
    const claimed = await claim(pipeline, eventId);
    expect(verdictBefore(claimed, diedOften)).toBeUndefined();
    await settleDeliveries(pipeline.db, [{ event_id: eventId, fence: claimed.fence, ...released }], owner);
  }
  for (let deaths = 0; deaths < POISON_AFTER; deaths += 1) {
    expect(verdictBefore(await claim(pipeline, eventId), diedOften)).toBeUndefined();
  }
  const claimed = await claim(pipeline, eventId);
  expect(verdictBefore(claimed, neverAlone)).toBeUndefined();
  expect(verdictBefore(claimed, diedOften)).toEqual({ kind: "rejected", reason: "poison" });
});

test("an outcome whose answer was lost is answered as ours, and written once; another owner's is not ours", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  const { fence } = await claim(pipeline, eventId);
  const retrying = { ...settlement, event_id: eventId, fence, state: "retrying", attempts: 1, reason: "full" } as const;
  expect(await settleDeliveries(pipeline.db, [retrying], owner)).toEqual(["applied"]);
  expect(await settleDeliveries(pipeline.db, [retrying], owner)).toEqual(["applied"]);
  expect(await pipeline.status(eventId)).toMatchObject({ state: "retrying", attempts: 1 });
  await claim(pipeline, eventId);
  expect(await settleDeliveries(pipeline.db, [retrying], owner)).toEqual(["not-ours"]);
});
