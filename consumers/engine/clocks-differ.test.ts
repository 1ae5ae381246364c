import { expect, test } from "bun:test";
import { Writable } from "node:stream";
import pino from "pino";
import type { TakenDelivery } from "../../database/ledger/claim.ts";
import { sayIfClocksDiffer } from "./clocks-differ.ts";
import { aRunningAttempt } from "./running-attempt-for-tests.ts";

const MINUTE_MS = 60_000;

const taken = (clockAheadMs: number | undefined): TakenDelivery => ({ ...aRunningAttempt().claim, clockAheadMs });

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
