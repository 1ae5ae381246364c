import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import pino from "pino";
import type { TakenDelivery } from "../../database/ledger/claim.ts";
import { sayIfClocksDiffer } from "./clocks-differ.ts";

const MINUTE_MS = 60_000;

const taken = (clockAheadMs: number | undefined): TakenDelivery => ({
  kind: "taken",
  eventId: "01980000-0000-7000-8000-000000000001",
  fence: 1,
  attempts: 0,
  systemFailures: 0,
  uncertain: 0,
  unanswered: 1,
  isExpired: false,
  clockAheadMs,
  ageMs: 1_000,
  isReplayed: false,
  isReleased: false,
  tookOver: false,
  lastReason: null,
  unchangedMs: 0,
});

test("that the clocks differ is logged once a minute, with the difference, as long as it keeps something from being expired", () => {
  const said: unknown[] = [];
  const log = pino(
    new Writable({
      write(line, _, done) {
        said.push(JSON.parse(String(line)).postgres_ahead_ms);
        done();
      },
    }),
  );
  let now = 0;
  const say = sayIfClocksDiffer({ log, now: () => now });
  say([taken(undefined)]);
  expect(said).toEqual([]);
  say([taken(undefined), taken(83), taken(84)]);
  say([taken(85)]);
  expect(said).toEqual([83]);
  now += MINUTE_MS;
  say([taken(undefined)]);
  say([taken(86)]);
  expect(said).toEqual([83, 86]);
});
