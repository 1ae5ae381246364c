import { expect, test } from "bun:test";
import { userSignedUp } from "../../stream/event.ts";
import { aPipeline, aSignup } from "../../tests/pipeline.ts";
import { createLedger } from "./ledger.ts";

test("an event that Postgres refuses gets no answer, alone or among others; the others get theirs", async () => {
  await using pipeline = await aPipeline();
  const signup = aSignup();
  const eventId = await pipeline.writeOnly(signup);
  const anEvent = (id: string, tracestate: string) =>
    userSignedUp({
      eventId: id,
      userId: signup.userId,
      locale: "vi",
      time: new Date(),
      trace: { traceparent: signup.traceparent, tracestate },
    });
  const refused = anEvent(Bun.randomUUIDv7(), "x=\u0000");
  const ledger = createLedger(pipeline.db, {
    template: "welcome",
    consumer: "c",
    leaseMs: 10_000,
    expireAfterMs: 60_000,
    uncertain: "resend",
  });
  expect((await ledger.claim([refused])).size).toBe(0);
  const claimed = await ledger.claim([refused, anEvent(eventId, "x=1")]);
  expect([...claimed].map(([id, { kind }]) => [id, kind])).toEqual([[eventId, "taken"]]);
});
