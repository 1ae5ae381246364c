import { expect, test } from "bun:test";
import { notInRedis } from "./not-in-redis.ts";

const NOW = new Date("2026-11-28T10:00:00Z");
const LONG_AGO = new Date(NOW.getTime() - 20_000);
const JUST_NOW = new Date(NOW.getTime() - 900);

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
  ["what waits for the group's delay is no retry", { waitingRetries: 900 }, [24, LONG_AGO], { retrying: 4 }, 20],
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
  const given = { retrying: 0, outbox: 0, now: NOW, ...known };
  expect(notInRedis({ ...EMPTY, ...group }, { unfinished, oldestAt }, given)).toBe(missing);
});
