import type { Clock } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";
import { Lately } from "./lately.ts";
import { limitIn } from "./limit-words.ts";

/** So often mails were accepted between those that were refused, within this time: then it is a rate. */
const TURNS = 3;
const TURNS_MS = 60_000;
/** Without one that is accepted for so long, and among so many, it is an outage. */
const OUTAGE_MS = 60_000;
const OUTAGE_REFUSED = 20;
/** Of a rate that is kept fewer are refused: from this time on, of so many, less than this share, and less than half of the share before. */
const SETTLED_MS = 5_000;
const WATCHED = 40;
const FEW = 0.1;
/** Else it is none, and none is looked for again for this time. */
const DEAF_MS = 5 * 60_000;
/** Share of the newest mail in how many are refused. */
const NEWEST = 0.02;
/** How long it is remembered how many mails one connection took, or was refused, at least. */
const ONE_TOOK_MS = 60_000;

/** A reply that names no limit, and may mean one: a refusal for now at MAIL FROM, where the server has not heard of the recipient. Later it may be greylisting. */
export const mayBeOfRate = (failure: SmtpFailure): boolean => {
  const { responseCode = 0, command, bodyStarted } = failure;
  if (responseCode < 400 || responseCode >= 500 || bodyStarted || command !== "MAIL FROM") return false;
  return limitIn(failure) === undefined;
};

/** A rate that is followed. */
interface Kept {
  /** From when on mails begin at a settled pace, ms. */
  readonly from: number;
  /** Of the mails before it was followed, so many were refused. */
  readonly shareBefore: number;
  asked: number;
  refused: number;
}

/**
 * Whether mails that are refused for now are so by a rate of which the server says nothing: some are accepted in between, time and again, and fewer are
 * refused once the pace is slower. Where all are refused it is an outage, which the breaker sees to: a pace that follows it would be slow for long after.
 * Where as many are refused as before it is no rate, but one bad server of three, for example.
 */
export class UnnamedRate {
  readonly #now: () => number;
  readonly #turns = new Lately(TURNS_MS);
  /** The first that was refused since the last turn. */
  #refusedAt: number | undefined;
  #acceptedAt = Number.NEGATIVE_INFINITY;
  #isNext = false;
  #inARow = 0;
  /** Of the last mails, so many were refused. */
  #share = 0;
  #kept: Kept | undefined;
  #deafUntil = Number.NEGATIVE_INFINITY;
  /** Most mails that one connection took since a time, and before. */
  #mostOfOne = { since: Number.NEGATIVE_INFINITY, count: 0, before: 0 };
  /** When one was refused that was not beyond these. */
  #fewerAt = Number.NEGATIVE_INFINITY;

  readonly #isByTurns: boolean;

  /** `isByTurns`: that some are accepted in between is enough; else there is none unless it is known. */
  constructor({ now, isByTurns = true }: Clock & { readonly isByTurns?: boolean }) {
    this.#now = now;
    this.#isByTurns = isByTurns;
  }

  /** A rate is followed that the server does not name. */
  get isKept(): boolean {
    return this.#kept !== undefined;
  }

  /** None is looked for. */
  get isDeaf(): boolean {
    return this.#now() < this.#deafUntil;
  }

  /** There is none: none is looked for for so long. */
  deafen(forMs: number): void {
    this.#kept = undefined;
    this.#deafUntil = this.#now() + forMs;
  }

  /** A mail was accepted, the `nth` of its connection, that began at this time. What began before mails were refused is no turn. */
  accepted(begunAt: number, nth: number): void {
    this.#turnMost();
    this.#mostOfOne.count = Math.max(this.#mostOfOne.count, nth);
    this.#acceptedAt = this.#now();
    this.#inARow = 0;
    this.#share -= NEWEST * this.#share;
    if (this.#kept !== undefined && begunAt >= this.#kept.from) this.#kept.asked += 1;
    if (this.#refusedAt !== undefined && begunAt >= this.#refusedAt) this.#isNext = true;
  }

  /**
   * A mail that began at this time, the `nth` of its connection, was refused in words that name no limit: why. `isKnown`: there is a rate that the server grants.
   * A connection is used up if it took as many mails as any other, and none was refused one of fewer.
   */
  refused(begunAt: number, nth: number, isKnown: boolean): "rate" | "no rate" | "used up" | "unknown" {
    const now = this.#now();
    if (this.#isUsedUp(nth)) return "used up";
    this.#refusedAt ??= now;
    this.#inARow += 1;
    this.#share += NEWEST * (1 - this.#share);
    if (this.#isNext) {
      this.#turns.add(now);
      this.#refusedAt = now;
      this.#isNext = false;
    }
    this.#turns.forget(now);
    if (this.#inARow >= OUTAGE_REFUSED && now - this.#acceptedAt > OUTAGE_MS) {
      this.#kept = undefined;
      return "no rate";
    }
    if (now < this.#deafUntil) return "unknown";
    if (!isKnown && (!this.#isByTurns || this.#turns.count < TURNS)) {
      this.#kept = undefined;
      return "unknown";
    }
    this.#kept ??= { from: now + SETTLED_MS, shareBefore: this.#share, asked: 0, refused: 0 };
    return this.#isChance(this.#kept, begunAt) ? this.#letGo(now) : "rate";
  }

  #isUsedUp(nth: number): boolean {
    this.#turnMost();
    const { count, before } = this.#mostOfOne;
    const isMost = nth > Math.max(1, count, before);
    if (!isMost) this.#fewerAt = this.#now();
    return isMost && this.#now() - this.#fewerAt > ONE_TOOK_MS;
  }

  #turnMost(): void {
    const { since, count } = this.#mostOfOne;
    if (this.#now() - since > ONE_TOOK_MS) this.#mostOfOne = { since: this.#now(), count: 0, before: count };
  }

  #isChance(kept: Kept, begunAt: number): boolean {
    if (begunAt < kept.from) return false;
    kept.asked += 1;
    kept.refused += 1;
    if (kept.asked < WATCHED) return false;
    const share = kept.refused / kept.asked;
    [kept.asked, kept.refused] = [0, 0];
    return share >= Math.max(FEW, kept.shareBefore / 2);
  }

  #letGo(now: number): "no rate" {
    this.#kept = undefined;
    this.#deafUntil = now + DEAF_MS;
    return "no rate";
  }
}
