import { expect, test } from "bun:test";
import { eventually } from "../../tests/eventually.ts";
import { aMailGroup, anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";
import { allSent, nothingPending } from "../../tests/pipeline-states.ts";
import { createEarlyClaims, isClaimedEarly } from "./early-claim.ts";

const fresh = { deliveries: 1, isTakenOver: false };
const quiet = { entries: [fresh], wereReady: true, isInDoubt: false, isClosed: true };

test.each([
  ["one piece at low load", {}, true],
  ["four pieces", { entries: Array.from({ length: 4 }, () => fresh) }, true],
  ["a backlog", { entries: Array.from({ length: 5 }, () => fresh) }, false],
  ["after a piece that was not ready", { wereReady: false }, false],
  ["while some work is in doubt", { isInDoubt: true }, false],
  ["while the other system is away", { isClosed: false }, false],
  ["a piece of a dead consumer", { entries: [fresh, { deliveries: 1, isTakenOver: true }] }, false],
  ["a piece that was brought back", { entries: [{ deliveries: 2, isTakenOver: false }] }, false],
])("whether pieces are claimed while they are looked up: %s", (_, known, isEarly) => {
  expect(isClaimedEarly({ ...quiet, ...known })).toBe(isEarly);
});

test("an early claim is of use for what is ready, while its lease is nearly whole; one that fails is no more than missing", async () => {
  let answer = async () => new Map([["a", { leaseUntil: 1_000 }]]);
  let now = 0;
  const early = createEarlyClaims({ claim: () => answer(), leaseMs: 1_000, now: () => now });
  const ready = { event_id: "a", lookup: "ready", reason: null } as const;
  const claimed = await early.claim(["a"], "token");
  expect([...early.usable(claimed, [ready]).keys()]).toEqual(["a"]);
  expect(early.wereReady).toBe(true);
  now = 300;
  expect(early.usable(claimed, [ready]).size).toBe(0);
  now = 0;
  expect(early.usable(claimed, [{ ...ready, lookup: "cancel" }]).size).toBe(0);
  expect(early.wereReady).toBe(false);
  answer = () => Promise.reject(new Error("Postgres is away"));
  expect((await early.claim(["a"], "token")).size).toBe(0);
});

test.concurrent("at low load a piece is claimed while it is looked up; what the look-up suppresses is not sent", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const looked: string[] = [];
  let suppressed: string | undefined;
  await pipeline.start((db) => {
    const group = aMailGroup(db, outbox.work);
    return {
      ...group,
      async prepare(pieces: Parameters<typeof group.prepare>[0]): ReturnType<typeof group.prepare> {
        const found = await group.prepare(pieces);
        const [first] = pieces;
        // The first shows that pieces are ready.
        if (looked.length > 0 && first !== undefined) {
          await eventually(async () => (await pipeline.status(first.eventId))?.state === "active");
        }
        for (const { eventId } of pieces) looked.push(eventId);
        if (suppressed === undefined) return found;
        return new Map([...found.keys()].map((id) => [id, { kind: "suppress", reason: "hard_bounce" }]));
      },
    };
  });
  for (const sent of [await pipeline.signUp(aSignup()), await pipeline.signUp(aSignup())])
    await allSent(pipeline, sent);
  suppressed = "from now on";
  const [eventId = ""] = await pipeline.signUp(aSignup());
  await eventually(async () => (await pipeline.status(eventId))?.state === "suppressed");
  expect(looked).toHaveLength(3);
  expect(outbox.sent).toHaveLength(2);
  await nothingPending(pipeline);
});

test.concurrent("asked to stop while a claimed piece is looked up: a peer sends it once, and nothing is uncertain", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const isLookedUp = Promise.withResolvers<void>();
  const mayFail = Promise.withResolvers<void>();
  let looks = 0;
  const first = await pipeline.start((db) => {
    const group = aMailGroup(db, outbox.work);
    return {
      ...group,
      async prepare(pieces: Parameters<typeof group.prepare>[0]): ReturnType<typeof group.prepare> {
        looks += 1;
        if (looks === 1) return group.prepare(pieces);
        isLookedUp.resolve();
        await mayFail.promise;
        throw Object.assign(new Error("the store is away"), { code: "ECONNREFUSED" });
      },
    };
  });
  await allSent(pipeline, await pipeline.signUp(aSignup()));
  const [eventId = ""] = await pipeline.signUp(aSignup());
  await isLookedUp.promise;
  await eventually(async () => (await pipeline.status(eventId))?.state === "active");
  const stopped = first.stop();
  mayFail.resolve();
  await stopped;
  expect(await pipeline.status(eventId)).toMatchObject({ state: "queued", uncertain: 0 });
  await pipeline.consumer(outbox.work);
  await allSent(pipeline, [eventId]);
  expect(outbox.sent.filter((each) => each === eventId)).toHaveLength(1);
  expect(await pipeline.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
});
