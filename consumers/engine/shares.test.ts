import { describe, expect, test } from "bun:test";
import { behindAfter, sharesOf } from "./shares.ts";

describe("room is shared", () => {
  test.each([
    [10, 0, { retries: 5, events: 5 }],
    [10, 4, { retries: 3, events: 7 }],
    [10, -4, { retries: 7, events: 3 }],
    [10, 100, { retries: 0, events: 10 }],
    [10, -100, { retries: 10, events: 0 }],
    [3, 0, { retries: 1, events: 2 }],
    [1, 0, { retries: 0, events: 1 }],
    [1, -1, { retries: 1, events: 0 }],
    [0, 5, { retries: 0, events: 0 }],
  ])("room for %d, new entries %d behind", (room, behind, shares) => expect(sharesOf(room, behind)).toEqual(shares));

  test.each([
    ["half each: nobody is behind", 0, { claimed: 0, retries: 5, events: 5 }, true, true, 0],
    ["claimed entries count against the others' half", 0, { claimed: 4, retries: 5, events: 5 }, true, true, 4],
    ["the debt is bounded", 0, { claimed: 90, retries: 0, events: 0 }, true, true, 20],
    ["new ones had one more, and retries wait", 0, { claimed: 0, retries: 0, events: 1 }, true, true, -1],
    ["no retries wait: nothing is owed to them", 0, { claimed: 0, retries: 0, events: 9 }, false, true, 0],
    ["no new ones wait: nothing is owed to them", 7, { claimed: 3, retries: 9, events: 1 }, true, false, 0],
  ])("%s", (_, behind, counts, mayHaveRetries, mayHaveEvents, after) =>
    expect(behindAfter(behind, { ...counts, mayHaveRetries, mayHaveEvents }, 20)).toBe(after),
  );

  test.each([1, 2, 3, 7, 20])("new entries are half of what is read, %d at a time, while both wait", (room) => {
    let [behind, retries, events] = [0, 0, 0];
    for (let turn = 1; turn <= 100; turn += 1) {
      const shares = sharesOf(room, behind);
      retries += shares.retries;
      events += shares.events;
      behind = behindAfter(behind, { claimed: 0, ...shares, mayHaveRetries: true, mayHaveEvents: true }, 20);
      expect(events).toBeGreaterThanOrEqual(retries);
      expect(events - retries).toBeLessThanOrEqual(1);
    }
  });
});
