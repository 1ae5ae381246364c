import { describe, expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type MailWork, type Pipeline } from "../../tests/pipeline.ts";
import { stopAt } from "../../tests/stop-at.ts";
import { aStranger } from "../../tests/stranger.ts";
import { createLedger } from "./ledger.ts";

const lockOf = (eventId: string) => `select from deliveries where event_id = '${eventId}' for update`;
const someSignups = (count: number) => Array.from({ length: count }, () => aSignup());
const states = async (pipeline: Pipeline, eventIds: readonly string[]) =>
  (await Promise.all(eventIds.map((id) => pipeline.status(id)))).map((status) => status?.state);

describe("a row of the ledger that somebody else has locked", () => {
  test("holds up no other at the claim, and is claimed when it is free, as untried as it was", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const eventIds = await pipeline.signUp(...someSignups(60));
    const [locked = "", ...others] = eventIds;
    await using stranger = await aStranger(pipeline.url, lockOf(locked));
    await pipeline.consumer(outbox.work, { uncertain: "hold" });
    await eventually(async () => (await states(pipeline, others)).every((state) => state === "done"));
    expect((await pipeline.status(locked))?.state).toBe("queued");
    await stranger.end("commit");
    await eventually(async () => (await pipeline.status(locked))?.state === "done");
    expect(outbox.sent.toSorted()).toEqual(eventIds.toSorted());
    expect(await pipeline.status(locked)).toMatchObject({ attempts: 1, uncertain: 0 });
  });

  test("holds up no other at the heartbeat and when outcomes are recorded, and its own is recorded when it is free", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const begun: string[] = [];
    const gate = Promise.withResolvers<void>();
    const work: MailWork = async (claim, recipient, attempt) => {
      begun.push(claim.eventId);
      await gate.promise;
      return outbox.work(claim, recipient, attempt);
    };
    await pipeline.consumer(work, { uncertain: "hold" });
    const eventIds = await pipeline.signUp(...someSignups(8));
    const [locked = "", ...others] = eventIds;
    await eventually(async () => begun.length === eventIds.length);
    await using stranger = await aStranger(pipeline.url, lockOf(locked));
    const leaseOf = async (id: string) =>
      (
        await pipeline.db.selectFrom("deliveries").select("lease_until").where("event_id", "=", id).executeTakeFirst()
      )?.lease_until?.getTime() ?? 0;
    const [first = ""] = others;
    const before = await leaseOf(first);
    await eventually(async () => (await leaseOf(first)) > before);
    gate.resolve();
    await eventually(async () => (await states(pipeline, others)).every((state) => state === "done"));
    await stranger.end("commit");
    await eventually(async () => (await pipeline.status(locked))?.state === "done");
    expect(outbox.sent.toSorted()).toEqual(eventIds.toSorted());
    expect(await pipeline.status(locked)).toMatchObject({ uncertain: 0 });
  });

  test("does not hold up the adoption of other events", async () => {
    await using pipeline = await aPipeline();
    const { type, subject, data, traceparent } = aSignup().event;
    const unknown = (id: string) =>
      ({ event_id: id, lookup: "ready", reason: null, type, subject, data, traceparent, tracestate: null }) as const;
    const [held, free] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    await using _ = await aStranger(
      pipeline.url,
      `insert into deliveries (group_name, event_id) values ('welcome-email', '${held}')`,
    );
    const adopted = await ledgerOf(pipeline).adopt([unknown(held), unknown(free)], Bun.randomUUIDv7());
    expect([adopted.get(held)?.kind, adopted.get(free)?.kind]).toEqual(["wait", "taken"]);
  });
});

const ledgerOf = ({ db }: Pipeline, uncertain: "resend" | "hold" = "hold") =>
  createLedger(db, {
    group: "welcome-email",
    consumer: "c",
    leaseMs: 60_000,
    expireAfterMs: undefined,
    wallClock: () => new Date(),
    isIdempotent: false,
    oncePerSubject: false,
    uncertain,
  });

describe("a claim whose answer was lost", () => {
  const claimOf = (eventId: string) => ({ event_id: eventId, lookup: "ready", reason: null }) as const;

  test("is the same claim when it is repeated: one fence, one count, no doubt", async () => {
    await using pipeline = await aPipeline();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    const ledger = ledgerOf(pipeline);
    const token = Bun.randomUUIDv7();
    const first = (await ledger.claim([claimOf(eventId)], token)).get(eventId);
    const again = (await ledger.claim([claimOf(eventId)], token)).get(eventId);
    expect(first).toMatchObject({ kind: "taken", fence: 1, unanswered: 1, uncertain: 0, tookOver: false });
    expect(again).toMatchObject({ kind: "taken", fence: 1, unanswered: 1, uncertain: 0, tookOver: false });
    const other = (await ledger.claim([claimOf(eventId)], Bun.randomUUIDv7())).get(eventId);
    expect(other?.kind).toBe("wait");
    expect((await pipeline.status(eventId))?.timeline.map(({ state }) => state)).toEqual(["queued", "active"]);
  });

  test("so is an adoption", async () => {
    await using pipeline = await aPipeline();
    const { type, subject, data, traceparent, eventId } = aSignup().event;
    const unknown = { ...claimOf(eventId), type, subject, data, traceparent, tracestate: null };
    const ledger = ledgerOf(pipeline);
    const token = Bun.randomUUIDv7();
    await ledger.adopt([unknown], token);
    expect((await ledger.adopt([unknown], token)).get(eventId)).toMatchObject({ kind: "taken", fence: 1 });
    expect((await ledger.adopt([unknown], Bun.randomUUIDv7())).get(eventId)?.kind).toBe("wait");
  });

  test("is undone when nobody waits for it any more: the next claim finds an untried delivery", async () => {
    await using pipeline = await aPipeline();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    const ledger = ledgerOf(pipeline);
    const token = Bun.randomUUIDv7();
    await ledger.claim([claimOf(eventId)], token);
    const [other] = await ledger.unclaim([{ event_id: eventId, token: Bun.randomUUIDv7() }]);
    expect(other).toMatchObject({ result: "none", is_final: false });
    expect((await pipeline.status(eventId))?.state).toBe("active");
    const [undone] = await ledger.unclaim([{ event_id: eventId, token }]);
    expect(undone).toMatchObject({ event_id: eventId, result: "undone", is_final: false });
    expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", uncertain: 0 });
    const next = (await ledger.claim([claimOf(eventId)], Bun.randomUUIDv7())).get(eventId);
    expect(next).toMatchObject({ kind: "taken", unanswered: 1, tookOver: false });
  });
});

test("policy hold asks for the note of work that is done before it holds", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const stop = stopAt("attempted", outbox.sent);
  const first = await pipeline.consumer(outbox.work, { ...stop, uncertain: "hold" });
  const [eventId = ""] = await pipeline.signUp(aSignup());
  await stop.reached;
  first.crash();
  await pipeline.redis.set(pipeline.keys.sent("welcome-email", eventId), "1");
  await pipeline.consumer(outbox.work, { uncertain: "hold" });
  await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  expect(outbox.sent).toEqual([eventId]);
});
