import type { Redis } from "ioredis";
import { isUuid } from "../../database/uuid.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { fieldOf } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { hastenEntries, readWaiting, type WaitingEntry } from "../../stream/scripts/hasten.ts";
import type { Breaker } from "./breaker.ts";
import { declinedAtOf, declinedSinceOf, dueOf, withDue } from "./failure-fields.ts";
import type { Ledger } from "./ledger.ts";

export interface HastenerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly ledger: Pick<Ledger, "hasten">;
  readonly breaker: Pick<Breaker, "allDeclined" | "isDeclining" | "hasDeclinedLately">;
  /** Entries are due now. */
  readonly onHastened: () => void;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly wallClock: () => Date;
  readonly random: () => number;
}

/** What it learns from attempts. */
export interface HastenerHears {
  /**
   * A piece was accepted that nobody had declined before, or that was hastened. `askedAt`: when it was asked for; monotonic, ms.
   */
  accepted(piece: { readonly askedAt: number; readonly wasHastened: boolean }): void;
  /** A piece was told to come back after so long, in ms. */
  told(delayMs: number): void;
}

export interface Hastening extends HastenerHears {
  turn(): Promise<"again" | "idle">;
}

export interface Hastener extends Loop, HastenerHears {}

/** A look at the waiting entries, a page in each turn. */
interface Scan {
  /** Entries that are due earlier have been looked at. Ms of Redis' clock. */
  readonly from: number;
  /** The end of the time whose entries it looks for. Monotonic, ms. */
  readonly until: number;
  /** There are entries of that time. */
  readonly hasSeen: boolean;
  /** Of times in which everything was declined, also to others, the end by the beginning, as the entries tell of them. Ms since 1970. */
  readonly told: ReadonlyMap<number, number>;
}

const EVERY_MS = 250;
/** Pieces that an accepted one hastens: as many again with each round, until one is declined. */
const EACH_HASTENS = 2;
const MAX_PER_TURN = 100;
/** Where some are accepted and then all are declined again, it is a rate: so many times what was accepted in this time is asked for. */
const RATE_TIMES = 1.1;
const RATE_MS = 30_000;
const RATE_LEAST_MS = 5_000;
const MOST_REMEMBERED = 1_000;
/** While no hastened piece was accepted for `RATE_MS`, one that was hastened in vain is so again after this time. */
const AGAIN_MS = 4_000;
/** Waiting entries that are read at a time. */
const PAGE = 500;
/** What is due later is not looked at, unless it was told to come back later. */
const HORIZON_MS = 600_000;
/** What was declined is recorded, and waits, within so long, also where the machine is busy. */
const RECORDED_MS = 10_000;
/** An entry has its time in whole ms. */
const ROUNDED_MS = 2;
/** The same beginning is rounded differently from entry to entry. */
const SAME_MS = 20;

/** What the entries tell, who may be of consumers that are gone: one that was declined as everything was knows since when that was so. */
const toldBy = (page: readonly WaitingEntry[], before: ReadonlyMap<number, number>): ReadonlyMap<number, number> => {
  const told = new Map(before);
  for (const { fields } of page) {
    const since = SAME_MS * Math.floor(declinedSinceOf(fields) / SAME_MS);
    if (since > 0) told.set(since, Math.max(told.get(since) ?? 0, declinedAtOf(fields)));
  }
  return told;
};
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
 * What was hastened in vain may be declined for its own sake, whoever else is accepted. So that is hastened again only while hastened pieces are accepted, too; else one at a time.
 *
 * Where some are accepted and then everything is declined again, the system grants a rate: then a little more is asked for than it accepted lately.
 *
 * While nothing is accepted, one piece at a time asks, each once: a system that wants each to come back later is not asked about it again.
 *
 * What is waiting may be of consumers that are gone, so one that is new looks once.
 *
 * The ledger is written first. If the process dies before Redis knows of it, the reconciler adds another entry a minute later.
 */
export const createHastening = (deps: HastenerDeps): Hastening => {
  const { redis, keys, group, ledger, breaker, onHastened, now, wallClock, random } = deps;
  const retrySet = keys.retrySet(group);
  const start = { since: now(), until: now() };
  let earned = 0;
  /** When pieces were accepted since everything was declined; and when it was declined again, as a system does that grants a rate. Monotonic, ms. */
  let acceptedAt: readonly number[] = [];
  /** Since when it is known that everything is, or was lately, declined: what was asked for before says nothing of a rate. Monotonic, ms. */
  let knownSince = Number.POSITIVE_INFINITY;
  let isRateUntil = Number.NEGATIVE_INFINITY;
  /** When a hastened piece was accepted last, and when one was hastened again though none had been. */
  let provenAt = Number.NEGATIVE_INFINITY;
  let triedAgainAt = Number.NEGATIVE_INFINITY;
  let due = { count: 0, at: now() };
  /** Monotonic, ms: the last sign of what the system says now. */
  let heardAt = Number.NEGATIVE_INFINITY;
  /** The end of the time of which nothing is left to hasten. */
  let finished = Number.NEGATIVE_INFINITY;
  let horizonMs = HORIZON_MS;
  let scan: Scan | undefined;

  /** What is well for longer grants no rate. */
  const followDeclining = (): void => {
    const { until } = breaker.allDeclined ?? start;
    const isLately = breaker.isDeclining || (breaker.hasDeclinedLately && now() - until < RATE_MS);
    knownSince = isLately ? Math.min(knownSince, now()) : Number.POSITIVE_INFINITY;
  };

  /** So many more pieces are hastened where the system grants a rate, in proportion to what it accepted lately. */
  const followRate = (): void => {
    followDeclining();
    acceptedAt = acceptedAt.filter((at) => at > now() - RATE_MS);
    const [first] = acceptedAt;
    if (breaker.isDeclining && first !== undefined) isRateUntil = now() + RATE_MS;
    const perMs = first === undefined ? 0 : acceptedAt.length / Math.max(RATE_LEAST_MS, now() - first);
    const count = isRate() ? due.count + RATE_TIMES * perMs * (now() - due.at) : 0;
    due = { count: Math.min(MAX_PER_TURN, count), at: now() };
  };
  const isRate = (): boolean => now() < isRateUntil;

  /** How many may be hastened now. */
  const mayHasten = ({ since, until }: { readonly since: number; readonly until: number }): number => {
    followRate();
    if (breaker.isDeclining || isRate()) earned = 0;
    if (due.count >= 1) return Math.floor(due.count);
    if (earned > 0) return Math.min(earned, MAX_PER_TURN);
    return now() - Math.max(heardAt, until) >= quietMs(until - since) ? 1 : 0;
  };

  /** The one that asks is not always the same: that one may be declined for its own sake. */
  const anyOf = (waiting: readonly WaitingEntry[], count: number): readonly WaitingEntry[] => {
    const at = Math.min(waiting.length - 1, Math.floor(random() * waiting.length));
    return waiting.slice(at, at + count);
  };

  /** Of those that were declined as everything was: which may be hastened. */
  const eligible = (ofThen: readonly WaitingEntry[]): readonly WaitingEntry[] => {
    const first = ofThen.filter(({ fields }) => dueOf(fields) === 0);
    if (earned === 0 && !isRate()) return first;
    if (now() - provenAt < RATE_MS) return ofThen;
    if (first.length > 0 || ofThen.length === 0 || now() - triedAgainAt < AGAIN_MS) return first;
    triedAgainAt = now();
    return anyOf(ofThen, 1);
  };

  const choose = (waiting: readonly WaitingEntry[], count: number): readonly WaitingEntry[] => {
    if (count >= waiting.length || earned > 0 || isRate()) return waiting.slice(0, count);
    return anyOf(waiting, count);
  };

  const hasten = async (chosen: readonly WaitingEntry[]): Promise<void> => {
    await ledger.hasten(chosen.map(({ fields }) => fieldOf(fields, "id") ?? "").filter(isUuid));
    const hastened = chosen.map(({ member, fields, dueMs }) => ({ member, fields: withDue(fields, dueMs) }));
    await hastenEntries(redis, retrySet, hastened);
    earned = Math.max(0, earned - chosen.length);
    due = { ...due, count: Math.max(0, due.count - chosen.length) };
    heardAt = now();
    onHastened();
  };

  /** All was looked at. Only a scan without any of that time is the last: what was hastened may be back, and due before where it looked. */
  const end = ({ from, until, hasSeen }: Scan, time: { readonly until: number }): void => {
    scan = undefined;
    if (until !== time.until) return;
    heardAt = now();
    if (hasSeen && from === 0) earned = 0;
    const isRecorded = breaker.allDeclined === undefined || now() - until > RECORDED_MS;
    if (hasSeen || breaker.isDeclining || !isRecorded) return;
    finished = until;
    earned = 0;
  };

  return {
    async turn() {
      const time = breaker.allDeclined ?? start;
      if (time.until === finished) {
        followRate();
        return "idle";
      }
      const count = mayHasten(time);
      if (count === 0) return "idle";
      const bootMs = wallClock().getTime() - now();
      const before = scan ?? { from: 0, until: time.until, hasSeen: false, told: new Map<number, number>() };
      const page = await readWaiting(redis, retrySet, { from: before.from, withinMs: horizonMs, limit: PAGE });
      const told = toldBy(page, before.told);
      const isOfThen = ({ fields }: WaitingEntry) => {
        const declinedAt = declinedAtOf(fields);
        // It was once, and was hastened in vain.
        if (declinedAt > 0 && dueOf(fields) > 0) return true;
        const at = declinedAt - bootMs;
        if (at >= time.since - ROUNDED_MS && at <= time.until + ROUNDED_MS) return true;
        return [...told].some(([since, until]) => declinedAt >= since && declinedAt <= until);
      };
      const ofThen = page.filter(isOfThen);
      const waiting = eligible(ofThen);
      const looking = { ...before, told, hasSeen: before.hasSeen || ofThen.length > 0 };
      const [first] = waiting;
      if (first !== undefined) {
        scan = { ...looking, from: first.dueMs };
        await hasten(choose(waiting, count));
        return "idle";
      }
      const lastMs = page.at(-1)?.dueMs ?? 0;
      if (page.length < PAGE) {
        end(looking, time);
        return "idle";
      }
      // Those that are due at the same time as the last one may continue on the next page.
      scan = { ...looking, from: lastMs > before.from ? lastMs : lastMs + 1 };
      return "again";
    },
    accepted({ askedAt, wasHastened }) {
      heardAt = now();
      if (wasHastened) provenAt = now();
      const { until } = breaker.allDeclined ?? start;
      followDeclining();
      if (knownSince === Number.POSITIVE_INFINITY) acceptedAt = [];
      else if (askedAt >= knownSince) acceptedAt = [...acceptedAt.slice(-MOST_REMEMBERED), now()];
      if (!isRate() && until !== finished) earned = Math.min(MAX_PER_TURN, earned + EACH_HASTENS);
    },
    told(delayMs) {
      horizonMs = Math.max(horizonMs, delayMs);
    },
  };
};

/** Hastens until it is stopped. */
export const startHastener = (deps: HastenerDeps): Hastener => {
  const { redis, group, log } = deps;
  const { turn, accepted, told } = createHastening(deps);
  const loop = startLoop({ name: `hastener of ${group}`, log, everyMs: EVERY_MS, needs: redis, turn });
  return { ...loop, accepted, told };
};
