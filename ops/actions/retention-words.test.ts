import { expect, test } from "bun:test";
import type { RetentionFacts } from "../../database/ledger/retention-record.ts";
import { retentionWords } from "./retention-words.ts";

const DAY_MS = 24 * 3_600_000;
const now = new Date("2026-11-29T06:00:00Z");
const before = (ms: number) => new Date(now.getTime() - ms);
const NOTHING: RetentionFacts = { oldestEventAt: null, retentionMs: null, lookedAt: null, removed: null };
const KEPT = { oldestEventAt: before(31 * DAY_MS), retentionMs: 30 * DAY_MS, lookedAt: before(30_000) };
const removed = { at: before(3_600_000), events: 12, deliveries: 24 };

test.each<readonly [string, Partial<RetentionFacts>, string]>([
  ["no event", {}, "events are kept for good; there is none"],
  [
    "everything is kept",
    { oldestEventAt: before(400 * DAY_MS) },
    "events are kept for good; the oldest is of 400 d ago",
  ],
  ["nothing was old", KEPT, "events are kept for 30 d; the oldest is of 31 d ago; none was deleted yet"],
  [
    "some were",
    { ...KEPT, removed },
    "events are kept for 30 d; the oldest is of 31 d ago; 12 events with 24 deliveries deleted 1 h ago",
  ],
  [
    "the api is gone, or keeps everything now",
    { ...KEPT, lookedAt: before(3 * 3_600_000), removed },
    "no api has looked for old events for 3 h (they were kept for 30 d); the oldest is of 31 d ago; 12 events with 24 deliveries deleted 1 h ago",
  ],
])("%s", (_, facts, words) => {
  expect(retentionWords({ ...NOTHING, ...facts }, now)).toBe(words);
});
