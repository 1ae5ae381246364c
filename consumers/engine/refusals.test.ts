import { expect, test } from "bun:test";
import { RowLocked } from "../../database/errors.ts";
import { aPipeline, aSignup } from "../../tests/pipeline.ts";
import { aStranger } from "../../tests/stranger.ts";
import { createLedger } from "./ledger.ts";

test("deliveries of events that cannot be read are closed together, each for its own reason; one that is locked, or that Postgres cannot take, holds up no other", async () => {
  await using pipeline = await aPipeline();
  const signups = Array.from({ length: 5 }, () => aSignup());
  const [first = "", second = "", locked = "", unlike = "", odd = ""] = await pipeline.signUp(...signups);
  const ledger = createLedger(pipeline.db, {
    ...{
      group: "welcome-email",
      consumer: "c",
      leaseMs: 10_000,
      expireAfterMs: 3_600_000,
      wallClock: () => new Date(),
    },
    ...{ isIdempotent: false, oncePerSubject: false, uncertain: "resend" },
  });
  const eventOf = (eventId: string) => {
    const { type = "", data } = signups.find(({ event }) => event.eventId === eventId)?.event ?? {};
    return { event_id: eventId, type, data };
  };
  await using stranger = await aStranger(
    pipeline.url,
    `select from deliveries where event_id = '${locked}' for update`,
  );
  const answers = await Promise.allSettled([
    ledger.refuse(eventOf(first), "malformed"),
    ledger.refuse(eventOf(second), "unknown_version"),
    ledger.refuse(eventOf(locked), "malformed"),
    ledger.refuse({ ...eventOf(unlike), data: { user_id: "another" } }, "malformed"),
    ledger.refuse({ ...eventOf(odd), data: "\u0000" }, "malformed"),
  ]);
  expect(answers).toMatchObject([
    { status: "fulfilled", value: true },
    { status: "fulfilled", value: true },
    { status: "rejected", reason: expect.any(RowLocked) },
    { status: "fulfilled", value: false },
    { status: "fulfilled", value: false },
  ]);
  await stranger.end("rollback");
  expect(await ledger.refuse(eventOf(locked), "malformed")).toBe(true);
  const states = await Promise.all([first, second, locked, unlike, odd].map((id) => pipeline.status(id)));
  expect(states.map((status) => [status?.state, status?.reason])).toEqual([
    ["dead", "malformed"],
    ["dead", "unknown_version"],
    ["dead", "malformed"],
    ["queued", null],
    ["queued", null],
  ]);
});
