import { expect, test } from "bun:test";
import { judgeLag } from "./restore-lag.ts";

const STREAM = { length: 3, lastId: "5-0", maxDeletedId: "0-0" };

test.each([
  ["as Redis counts it", { lag: 2, deliveredId: "3-0" }, {}, "known"],
  ["nothing is unread", { lag: 0, deliveredId: "5-0" }, {}, "read"],
  ["the position is beyond the end", { lag: 2, deliveredId: "5-1" }, {}, "beyond"],
  ["forgotten", { lag: undefined, deliveredId: "3-0" }, {}, "count"],
  ["entries unread after the last one", { lag: 2, deliveredId: "5-0" }, {}, "count"],
  ["forgotten after the last one", { lag: undefined, deliveredId: "5-0" }, { maxDeletedId: "5-0" }, "count"],
  ["more than the stream is long", { lag: 4, deliveredId: "3-0" }, {}, "count"],
  ["an entry was deleted that is unread", { lag: undefined, deliveredId: "3-0" }, { maxDeletedId: "4-0" }, "hole"],
  ["the entry that was read last was deleted", { lag: undefined, deliveredId: "3-0" }, { maxDeletedId: "3-0" }, "hole"],
  ["an entry was deleted that is read past", { lag: undefined, deliveredId: "3-0" }, { maxDeletedId: "2-9" }, "count"],
] as const)("a lag: %s", (_, group, parts, state) => {
  expect<string>(judgeLag(group, { ...STREAM, ...parts })).toBe(state);
});
