import { expect, test } from "bun:test";
import type { Waiting } from "../../runtime/situation/facts.ts";
import { notInRedis } from "./not-in-redis.ts";

const NOW = new Date("2026-11-28T10:00:00Z");
const LONG_AGO = new Date(NOW.getTime() - 20_000);
const JUST_NOW = new Date(NOW.getTime() - 900);

interface Known {
  readonly retrying?: number | Waiting;
  readonly outbox?: number;
  readonly soon?: number;
  readonly waiting?: number;
}

/** As many as are counted, or more. */
const MANY = { count: 1_000, isBound: true };

const EMPTY = {
  exists: { events: true, retries: true },
  oldestUnfinishedMs: 0,
  pending: 0,
  lag: 0,
  retriesLag: 0,
  waitingRetries: 0,
};

test.each([
  ["after a flush all that is not finished is missing", {}, [24, LONG_AGO], {}, 24],
  ["what was accepted a moment ago is on its way", {}, [24, JUST_NOW], {}, 0],
  ["nothing is unfinished", {}, [0, null], {}, 0],
  ["Redis has something unread", { lag: 1 }, [24, LONG_AGO], {}, 0],
  ["or of which nobody knows how much", { lag: null }, [24, LONG_AGO], {}, 0],
  ["or in flight", { pending: 1 }, [24, LONG_AGO], {}, 0],
  ["retries are not missing", { waitingRetries: 24 }, [24, LONG_AGO], { retrying: 24 }, 0],
  ["after a flush retries are missing, too", {}, [24, LONG_AGO], { retrying: 24 }, 24],
  ["and beside those that failed since then", { waitingRetries: 6 }, [24, LONG_AGO], { retrying: 24 }, 18],
  ["few beside retries may be a difference of the looks", { waitingRetries: 20 }, [24, LONG_AGO], { retrying: 24 }, 0],
  [
    "what waits for the group's delay is no retry",
    { waitingRetries: 900 },
    [24, LONG_AGO],
    { retrying: 4, waiting: 900 },
    20,
  ],
  [
    "it waits, if it is due within a minute",
    { waitingRetries: 5_301 },
    [301, LONG_AGO],
    { retrying: 1, soon: 300, waiting: 5_000 },
    0,
  ],
  ["of more retries than are counted", { waitingRetries: 3_000 }, [3_000, LONG_AGO], { retrying: MANY }, 0],
  [
    "and they failed since a flush, which took what waits for the delay",
    { waitingRetries: 3_000 },
    [3_000, LONG_AGO],
    { retrying: MANY, waiting: 5_000 },
    0,
  ],
  ["after a flush more retries than are counted are missing", {}, [3_000, LONG_AGO], { retrying: MANY }, 3_000],
  ["what was passed over comes back from the retry set", { waitingRetries: 300 }, [300, LONG_AGO], {}, 0],
  ["what is in the outbox waits there", {}, [24, LONG_AGO], { outbox: 24 }, 0],
  [
    "the group is missing as a whole: that is said elsewhere",
    { exists: { events: true, retries: false } },
    [24, LONG_AGO],
    {},
    0,
  ],
  ["there are more than are counted", {}, [10_000, LONG_AGO], {}, 0],
] as const)("%s", (_, group, [unfinished, oldestAt], known, missing) => {
  const { retrying = 0, outbox = 0, soon = 0, waiting = 0 }: Known = known;
  const counted = typeof retrying === "number" ? { count: retrying, isBound: false } : retrying;
  const backlog = { unfinished, soon, waiting, oldestAt };
  expect(notInRedis({ ...EMPTY, ...group }, backlog, { retrying: counted, outbox, now: NOW })).toBe(missing);
});
