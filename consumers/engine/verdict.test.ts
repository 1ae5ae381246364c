import { expect, test } from "bun:test";
import { claimDeliveries } from "../../database/ledger/claim.ts";
import { settleDeliveries } from "../../database/ledger/settle.ts";
import { aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { POISON_AFTER, verdictBefore } from "./verdict.ts";

const owner = { group: "welcome-email", consumer: "c" };
/** A lease that has run out as soon as it is given. */
const options = { ...owner, leaseMs: 0, expireAfterMs: undefined, isIdempotent: true, uncertain: "resend" } as const;

const claim = async ({ db }: Pipeline, eventId: string) => {
  const wanted = { event_id: eventId, lookup: "ready", reason: null } as const;
  const claimed = (await claimDeliveries(db, [wanted], options)).get(eventId);
  if (claimed?.kind !== "taken") throw new Error(`expected to claim it, but it is ${claimed?.kind}`);
  return claimed;
};

/** As for an entry that a peer took from its owner again and again. */
const takenOften = { deliveries: 100, isNoted: false };

const released = {
  state: "queued",
  reason: "lease_lost",
  attempts: 0,
  system_failures: 0,
  uncertain: 0,
  delay_ms: null,
  receipt: null,
  reply: null,
} as const;

test("claims whose consumers died make poison; those that a living consumer released do not", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  for (let round = 0; round < 2 * POISON_AFTER; round += 1) {
    const claimed = await claim(pipeline, eventId);
    expect(verdictBefore(claimed, takenOften)).toBeUndefined();
    await settleDeliveries(pipeline.db, [{ event_id: eventId, fence: claimed.fence, ...released }], owner);
  }
  for (let deaths = 0; deaths < POISON_AFTER; deaths += 1) {
    expect(verdictBefore(await claim(pipeline, eventId), takenOften)).toBeUndefined();
  }
  expect(verdictBefore(await claim(pipeline, eventId), takenOften)).toEqual({ kind: "rejected", reason: "poison" });
});
