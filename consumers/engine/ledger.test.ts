import { expect, test } from "bun:test";
import { claimDeliveries } from "../../database/ledger/claim.ts";
import { enlistEvents } from "../../database/ledger/replay.ts";
import { aPipeline, aSignup } from "../../tests/pipeline.ts";
import { createLedger } from "./ledger.ts";

test("an event that Postgres refuses gets no answer, alone or in a batch; the others get theirs", async () => {
  await using pipeline = await aPipeline();
  const signup = aSignup();
  const wanted = (id: string, tracestate: string) => {
    const { type, subject, data, traceparent } = signup.event;
    return { event_id: id, lookup: "ready", reason: null, type, subject, data, traceparent, tracestate } as const;
  };
  const refused = wanted(Bun.randomUUIDv7(), "x=\u0000");
  const ledger = createLedger(pipeline.db, {
    group: "welcome-email",
    consumer: "c",
    leaseMs: 10_000,
    expireAfterMs: 60_000,
    isIdempotent: false,
    oncePerSubject: false,
    uncertain: "resend",
  });
  expect((await ledger.adopt([refused], Bun.randomUUIDv7())).size).toBe(0);
  const other = Bun.randomUUIDv7();
  const adopted = await ledger.adopt([refused, wanted(other, "x=1")], Bun.randomUUIDv7());
  expect([...adopted].map(([id, { kind }]) => [id, kind])).toEqual([[other, "taken"]]);
});

test("a delivery that replay made is told apart: the delay of its group did not apply", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  await enlistEvents(pipeline.db, [eventId], "reminder-email");
  const options = { consumer: "c", leaseMs: 10_000, expireAfterMs: undefined, isIdempotent: true } as const;
  const doing = (group: string) => ({ group, uncertain: "resend", token: Bun.randomUUIDv7() }) as const;
  const claim = async (group: string) => {
    const wanted = [{ event_id: eventId, lookup: "ready", reason: null }] as const;
    return (await claimDeliveries(pipeline.db, wanted, { ...options, ...doing(group) })).get(eventId);
  };
  expect(await claim("reminder-email")).toMatchObject({ kind: "taken", isReplayed: true });
  expect(await claim("welcome-email")).toMatchObject({ kind: "taken", isReplayed: false });
});
