import { expect, test } from "bun:test";
import type { Entry } from "../../stream/entries.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { aPipeline, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { anEvent } from "../../tests/pipeline-states.ts";
import { Breaker } from "./breaker.ts";
import { createGatherer } from "./gather.ts";
import { createStreamReads, type StreamReadsDeps } from "./read-streams.ts";

const CONCURRENCY = 20;
const group = WELCOME_EMAIL;

const unused = async (): Promise<never> => {
  throw new Error("is not part of this test");
};
const settler = {
  settle: unused,
  complete: unused,
  delay: unused,
  reject: unused,
  dismiss: unused,
  pass: unused,
  release: unused,
  passOver: unused,
};

const NO_SKIPPER = { skip: async () => false, saw: () => {}, isWork: () => true };

const aBreaker = (isOpen = false): Breaker => {
  const breaker = new Breaker({ concurrency: CONCURRENCY, now: () => 0, random: () => 0, onChange: () => {} });
  const fail = (n: number) => breaker.failed({ reason: "down" }, { eventId: String(n), party: undefined });
  if (isOpen) for (let n = 0; n < 5; n += 1) fail(n);
  return breaker;
};

const ofDead = (count: number): Entry[] =>
  Array.from({ length: count }, (_, n) => ({
    stream: "taken over",
    id: `${n}-0`,
    raw: [],
    deliveries: 2,
    isTakenOver: true,
    deathsAlone: 0,
  }));

/** Reads of a group with so many entries in its streams, and what each read of one turn gave. */
const someReads = async (
  { redis, keys }: Pipeline,
  waiting: { readonly retries?: number; readonly events?: number; readonly ofDead?: number },
  given: Partial<
    Pick<StreamReadsDeps, "blocking" | "blockMs" | "breaker" | "group" | "lookAhead" | "skipper" | "settler">
  > = {},
) => {
  const { retries = 0, events = 0 } = waiting;
  const retriesStream = keys.retriesStream(group.name);
  const add = async (stream: string, count: number) => {
    for (let n = 0; n < count; n += 1) {
      await redis.xadd(stream, "*", ...anEvent(Bun.randomUUIDv7(), Bun.randomUUIDv7()));
    }
  };
  await add(retriesStream, retries);
  await add(keys.events, events);
  let dead = ofDead(waiting.ofDead ?? 0);
  const deps: StreamReadsDeps = {
    redis,
    keys,
    group,
    consumer: "reads",
    blocking: { read: unused, close: () => {} },
    claimer: {
      isDue: () => dead.length > 0,
      claimDue: async (room) => {
        const claimed = dead.slice(0, Math.max(0, room));
        dead = dead.slice(claimed.length);
        return claimed;
      },
      suspects: () => [],
      forgetSuspects: () => {},
      setSuspectsAside: async (entries) => entries,
    },
    breaker: aBreaker(),
    lookAhead: { kept: () => 0, reads: (room) => room },
    settler,
    gatherer: createGatherer({ concurrency: CONCURRENCY, ahead: 0, now: () => 0 }),
    skipper: NO_SKIPPER,
    log: silentLog,
    blockMs: 1,
    ...given,
  };
  const { readWhatIsThere, waitForEntries } = createStreamReads(deps, { concurrency: CONCURRENCY });
  const counted = (entries: readonly Entry[]) => ({
    claimed: entries.filter(({ isTakenOver }) => isTakenOver).length,
    retries: entries.filter(({ stream }) => stream === retriesStream).length,
    events: entries.filter(({ stream }) => stream === keys.events).length,
  });
  return {
    waitForEntries,
    turn: async (most: number, room = { reads: most, claims: 0 }) => counted(await readWhatIsThere(most, room)),
  };
};

test("new entries are half of what is read while both wait; what one stream has no use for is the other's", async () => {
  await using pipeline = await aPipeline();
  const { turn } = await someReads(pipeline, { retries: 9, events: 20 });
  expect(await turn(10)).toEqual({ claimed: 0, retries: 5, events: 5 });
  expect(await turn(3)).toEqual({ claimed: 0, retries: 1, events: 2 });
  expect(await turn(1)).toEqual({ claimed: 0, retries: 1, events: 0 });
  expect(await turn(10)).toEqual({ claimed: 0, retries: 2, events: 8 });
  expect(await turn(10)).toEqual({ claimed: 0, retries: 0, events: 5 });
});

test("entries of dead consumers come out of the other half, and what new ones are behind is made good later", async () => {
  await using pipeline = await aPipeline();
  const { turn } = await someReads(pipeline, { retries: 30, events: 30, ofDead: 6 });
  expect(await turn(10, { reads: 10, claims: 10 })).toEqual({ claimed: 6, retries: 2, events: 2 });
  expect(await turn(10)).toEqual({ claimed: 0, retries: 2, events: 8 });
  expect(await turn(10)).toEqual({ claimed: 0, retries: 5, events: 5 });
});

test("what is only looked at is new, if anything is; and it is owed to nobody", async () => {
  await using pipeline = await aPipeline();
  let isLooking = true;
  const lookAhead = { kept: () => 0, reads: (room: number) => (isLooking ? 30 : room) };
  const { turn } = await someReads(pipeline, { retries: 60, events: 45 }, { lookAhead });
  expect(await turn(10)).toEqual({ claimed: 0, retries: 5, events: 25 });
  isLooking = false;
  expect(await turn(10)).toEqual({ claimed: 0, retries: 5, events: 5 });
  isLooking = true;
  // New ones have run out: retries have what they leave.
  expect(await turn(10)).toEqual({ claimed: 0, retries: 15, events: 15 });
});

test("a probe is something new, if there is anything, and an entry of a dead consumer is the last choice", async () => {
  await using pipeline = await aPipeline();
  const { turn } = await someReads(pipeline, { retries: 2, events: 1, ofDead: 2 }, { breaker: aBreaker(true) });
  const probe = { reads: 1, claims: 1 };
  expect(await turn(1, probe)).toEqual({ claimed: 0, retries: 0, events: 1 });
  expect(await turn(1, probe)).toEqual({ claimed: 0, retries: 1, events: 0 });
  expect(await turn(1, probe)).toEqual({ claimed: 0, retries: 1, events: 0 });
  expect(await turn(1, probe)).toEqual({ claimed: 1, retries: 0, events: 0 });
});

test("a probe of a group with a delay is something that is due: what is new never is", async () => {
  await using pipeline = await aPipeline();
  const delayed = { ...group, delayMs: 60_000 };
  const given = { breaker: aBreaker(true), group: delayed };
  const { turn } = await someReads(pipeline, { retries: 2, events: 3, ofDead: 1 }, given);
  const probe = { reads: 1, claims: 1 };
  expect(await turn(1, probe)).toEqual({ claimed: 0, retries: 1, events: 0 });
  expect(await turn(1, probe)).toEqual({ claimed: 0, retries: 1, events: 0 });
  expect(await turn(1, probe)).toEqual({ claimed: 0, retries: 0, events: 1 });
});

test("what is not the group's takes the place of no probe", async () => {
  await using pipeline = await aPipeline();
  const given = { breaker: aBreaker(true), skipper: { ...NO_SKIPPER, isWork: () => false } };
  const { turn } = await someReads(pipeline, { retries: 2, events: 2 }, given);
  const probe = { reads: 1, claims: 0 };
  expect(await turn(2, probe)).toEqual({ claimed: 0, retries: 1, events: 1 });
  expect(await turn(2, probe)).toEqual({ claimed: 0, retries: 1, events: 1 });
});

test("of a group with a delay only what is due is looked at beyond what may be attempted", async () => {
  await using pipeline = await aPipeline();
  const lookAhead = { kept: () => 0, reads: () => 30 };
  const given = { lookAhead, group: { ...group, delayMs: 60_000 } };
  const { turn } = await someReads(pipeline, { retries: 60, events: 45 }, given);
  expect(await turn(10)).toEqual({ claimed: 0, retries: 25, events: 5 });
});

test("what one stream gave is delivered although the other could not be read; nothing at all is an error", async () => {
  await using pipeline = await aPipeline();
  const skip = async () => {
    throw new Error("the log cannot be read");
  };
  const { turn } = await someReads(pipeline, { retries: 1, events: 1 }, { skipper: { ...NO_SKIPPER, skip } });
  expect(await turn(4)).toEqual({ claimed: 0, retries: 1, events: 0 });
  await expect(turn(4)).rejects.toThrow("the log cannot be read");
});

test("where one may be attempted, and both streams have one, the second comes back", async () => {
  await using pipeline = await aPipeline();
  const [one, other] = ofDead(2);
  if (one === undefined || other === undefined) throw new Error("there are two");
  const passed: string[] = [];
  const deps = {
    blocking: { read: async () => [one, other], close: () => {} },
    settler: {
      ...settler,
      passOver: async (all: readonly { readonly entry: Entry; readonly delayMs: number }[]) => {
        for (const { entry, delayMs } of all) passed.push(`${entry.id} after ${delayMs} ms`);
      },
    },
  };
  const { waitForEntries } = await someReads(pipeline, {}, deps);
  expect(await waitForEntries(1, new AbortController().signal)).toEqual([one]);
  expect(passed).toEqual([`${other.id} after 0 ms`]);
});

test("while entries of dead consumers wait for room, nothing new is waited for longer than they may have to", async () => {
  await using pipeline = await aPipeline();
  const waits: number[] = [];
  const blocking: StreamReadsDeps["blocking"] = {
    read: async (_streams, _count, blockMs) => {
      waits.push(blockMs);
      return [];
    },
    close: () => {},
  };
  const { turn, waitForEntries } = await someReads(pipeline, { ofDead: 3 }, { blocking, blockMs: 2_000 });
  const { signal } = new AbortController();
  expect(await turn(10, { reads: 10, claims: 2 })).toEqual({ claimed: 2, retries: 0, events: 0 });
  await waitForEntries(10, signal);
  expect(await turn(10, { reads: 10, claims: 2 })).toEqual({ claimed: 1, retries: 0, events: 0 });
  await waitForEntries(10, signal);
  expect(waits).toEqual([25, 2_000]);
});
