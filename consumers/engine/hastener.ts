import type { Redis } from "ioredis";
import { isUuid } from "../../database/uuid.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { fieldOf } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { hastenEntries, readWaiting, type WaitingEntry } from "../../stream/scripts/hasten.ts";
import type { Breaker } from "./breaker.ts";
import { declinedAtOf, withDue } from "./failure-fields.ts";
import type { Ledger } from "./ledger.ts";

export interface HastenerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly ledger: Pick<Ledger, "hasten">;
  readonly breaker: Pick<Breaker, "allDeclined" | "isDeclining">;
  /** Entries are due now. */
  readonly onHastened: () => void;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly wallClock: () => Date;
  readonly random: () => number;
}

export interface Hastener extends Loop {
  /** A piece was accepted that nobody had declined before, or that was hastened. */
  accepted(): void;
}

const EVERY_MS = 250;
/** Pieces that an accepted one hastens: as many again with each round, until one is declined. */
const EACH_HASTENS = 2;
const MAX_PER_TURN = 100;
/** Waiting entries that are read at a time. */
const PAGE = 500;
/** What is due later is not looked at: it was told so. */
const HORIZON_MS = 600_000;
/** An entry has its time in whole ms. */
const ROUNDED_MS = 2;
/** While nothing is asked, one piece asks, at first every 4 s, later after a tenth of the time for which all is declined. */
const LEAST_QUIET_MS = 4_000;
const MOST_QUIET_MS = 60_000;

/** How long nothing is asked until one piece is hastened to ask, in ms. Pure. 45 s of declining: 4.5 s; an hour: 60 s. */
export const quietMs = (declinedForMs: number): number =>
  Math.min(MOST_QUIET_MS, Math.max(LEAST_QUIET_MS, declinedForMs / 10));

/**
 * What was declined as everything was waits for minutes, each piece from its own time on, though the system is well by then. So when pieces
 * are accepted again, those are made due now that were declined while everything was: two for each that is accepted, none while
 * all is declined. What is declined again is due when it would have been. What was declined at other times keeps its delay.
 *
 * The ledger is written first. If the process dies before Redis knows of it, the reconciler adds another entry a minute later.
 */
export const startHastener = (deps: HastenerDeps): Hastener => {
  const { redis, keys, group, ledger, breaker, onHastened, log, now, wallClock, random } = deps;
  const retrySet = keys.retrySet(group);
  let earned = 0;
  /** Monotonic, ms: the last sign of what the system says now. */
  let heardAt = Number.NEGATIVE_INFINITY;
  /** The end of the time of which nothing is left to hasten. */
  let finished = Number.NEGATIVE_INFINITY;
  /** From when on due entries have not been looked at, by the wall clock, ms. */
  let cursor = 0;

  /** How many may be hastened now. */
  const mayHasten = ({ since, until }: { readonly since: number; readonly until: number }): number => {
    if (breaker.isDeclining) earned = 0;
    if (earned > 0) return Math.min(earned, MAX_PER_TURN);
    return now() - Math.max(heardAt, until) >= quietMs(until - since) ? 1 : 0;
  };

  const choose = (waiting: readonly WaitingEntry[], count: number): readonly WaitingEntry[] => {
    if (count >= waiting.length || earned > 0) return waiting.slice(0, count);
    // The one that asks is not always the same.
    const at = Math.min(waiting.length - 1, Math.floor(random() * waiting.length));
    return waiting.slice(at, at + count);
  };

  const hasten = async (chosen: readonly WaitingEntry[]): Promise<void> => {
    await ledger.hasten(chosen.map(({ fields }) => fieldOf(fields, "id") ?? "").filter(isUuid));
    const hastened = chosen.map(({ member, fields, dueMs }) => ({ member, fields: withDue(fields, dueMs) }));
    await hastenEntries(redis, retrySet, hastened);
    earned = Math.max(0, earned - chosen.length);
    heardAt = now();
    onHastened();
  };

  const loop = startLoop({
    name: `hastener of ${group}`,
    log,
    everyMs: EVERY_MS,
    needs: redis,
    turn: async () => {
      const time = breaker.allDeclined;
      if (time === undefined || time.until === finished) return "idle";
      const count = mayHasten(time);
      if (count === 0) return "idle";
      const wallMs = wallClock().getTime();
      const bootMs = wallMs - now();
      const isOfThen = ({ fields }: WaitingEntry) => {
        const at = declinedAtOf(fields) - bootMs;
        return at >= time.since - ROUNDED_MS && at <= time.until + ROUNDED_MS;
      };
      if (cursor < wallMs || breaker.isDeclining) cursor = wallMs;
      const page = await readWaiting(redis, retrySet, { from: cursor, to: wallMs + HORIZON_MS, limit: PAGE });
      const waiting = page.filter(isOfThen);
      if (waiting.length > 0) {
        cursor = waiting[0]?.dueMs ?? cursor;
        await hasten(choose(waiting, count));
      } else if (page.length === PAGE) {
        cursor = (page.at(-1)?.dueMs ?? cursor) + 1;
        return "again";
      } else if (!breaker.isDeclining) {
        finished = time.until;
        earned = 0;
      }
      return "idle";
    },
  });
  return {
    ...loop,
    accepted() {
      heardAt = now();
      const time = breaker.allDeclined;
      if (time !== undefined && time.until !== finished) earned = Math.min(MAX_PER_TURN, earned + EACH_HASTENS);
    },
  };
};
