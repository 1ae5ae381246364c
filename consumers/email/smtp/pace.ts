import type { Clock } from "./capacity.ts";
import { Lately } from "./lately.ts";

/** Over which it is measured what the server accepts before a pace is known. */
const MEASURED_MS = 5_000;
/** One a minute: rates that count what they refuse grant nothing to whoever asks more often. */
const SLOWEST = 1 / 60;
const FIRST_STEP = 0.05;
const LARGEST_STEP = 0.5;
const GROW_EVERY_MS = 1_000;
/** Without a wait for so long, the rate is no limit any more. */
const FORGET_MS = 60_000;

/** So many are refused by one server of many that has its limit, or for single recipients: no pace mends that. */
const TOLERATED = 0.14;
const MOST_TOLERATED = 0.5;
const TOLERATED_FOR_MS = 60_000;
/** Of the share that was refused before: as much after the pace was lowered says that the pace is not why. */
const STILL = 0.6;
/** Fewer refusals are chance. */
const FEW = 3;

/**
 * How many mails a second the server grants: unlimited until it says that it is too fast, then what it accepts of what began since the
 * last change; half as many after each refusal while it accepts none; growing while few are refused. Where it accepts some again after it
 * accepted none, the pace is the mean since the last time that it did so.
 */
export class Pace {
  readonly #now: () => number;
  #perSecond: number | undefined;
  readonly #accepted = new Lately(MEASURED_MS);
  readonly #refused = new Lately(MEASURED_MS);
  /** From when the next mail waits its turn. */
  #from = 0;
  #changedAt = Number.NEGATIVE_INFINITY;
  /** Of the mails that began since. */
  #round = { accepted: 0, refused: 0 };
  #inARow = 0;
  #waitedAt = 0;
  #step = FIRST_STEP;
  #isBlackout = false;
  /** Since the server accepted some again. */
  #epoch = { at: 0, accepted: 0 };
  /** Refused, and the pace, before it was lowered last. */
  #before: { readonly share: number; readonly perSecond: number | undefined } | undefined;
  #tolerated = TOLERATED;
  #toleratedAt = 0;

  constructor({ now }: Clock) {
    this.#now = now;
    this.#epoch.at = now();
  }

  /** Mails a second; undefined: no limit is known. */
  get perSecond(): number | undefined {
    return this.#perSecond;
  }

  /** Ms until the next mail may begin. */
  get waitMs(): number {
    if (this.#perSecond === undefined) return 0;
    const waitMs = this.#from + 1_000 / this.#perSecond - this.#now();
    if (waitMs > 0) this.#waitedAt = this.#now();
    return waitMs;
  }

  /** A mail begins. */
  took(): void {
    if (this.#perSecond !== undefined) this.#from = Math.max(this.#now(), this.#from + 1_000 / this.#perSecond);
  }

  /** A mail was accepted that began at this time. */
  accepted(begunAt: number): void {
    const now = this.#now();
    this.#accepted.add(now);
    const perSecond = this.#perSecond;
    if (perSecond === undefined) {
      if (now - this.#epoch.at > FORGET_MS) this.#epoch = { at: now, accepted: 0 };
      this.#epoch.accepted += 1;
      this.#inARow = 0;
      return;
    }
    this.#epoch.accepted += 1;
    if (begunAt < this.#changedAt) return;
    this.#inARow = 0;
    this.#round.accepted += 1;
    if (this.#isBlackout) {
      const mean = (1_000 * this.#epoch.accepted) / Math.max(1_000, now - this.#epoch.at);
      this.#isBlackout = false;
      this.#epoch = { at: now, accepted: 1 };
      this.#change(Math.max(perSecond, mean));
      return;
    }
    if (now - this.#waitedAt > Math.max(FORGET_MS, 3_000 / perSecond)) {
      this.#perSecond = undefined;
      return;
    }
    const ms = now - this.#changedAt;
    if (ms < GROW_EVERY_MS || this.#share > this.#tolerance(now)) return;
    // What was not made use of shows nothing.
    if (this.#round.accepted < (perSecond * ms) / 2_000 - 1) return;
    const step = this.#step;
    this.#change(perSecond * (1 + step));
    this.#step = Math.min(LARGEST_STEP, step * 2);
  }

  /** A mail that began at this time was refused, since there were too many. */
  tooFast(begunAt: number): void {
    const now = this.#now();
    // It says nothing about what has changed since.
    if (begunAt < this.#changedAt) return;
    this.#refused.add(now);
    this.#round.refused += 1;
    this.#inARow += 1;
    if (this.#perSecond === undefined) this.#find(now);
    else this.#lower(now, this.#perSecond);
  }

  #find(now: number): void {
    this.#accepted.forget(now);
    const { first = now, count } = this.#accepted;
    const refused = this.#refused.count;
    const share = refused / (refused + count);
    if (count > 0 && (refused < FEW || share <= this.#tolerance(now))) return;
    this.#before = { share, perSecond: undefined };
    this.#waitedAt = now;
    this.#change(Math.max(1, (count * 1_000) / Math.max(1_000, now - first)));
  }

  #lower(now: number, perSecond: number): void {
    const { accepted, refused } = this.#round;
    if (this.#inARow >= (perSecond < 1 ? 1 : 2 + perSecond / 8)) {
      this.#isBlackout = true;
      this.#change(Math.max(SLOWEST, perSecond / 2));
      return;
    }
    const share = this.#share;
    const ms = now - this.#changedAt;
    if (accepted === 0 || refused < FEW || ms < GROW_EVERY_MS || share <= this.#tolerance(now)) return;
    const before = this.#before;
    if (before !== undefined && share >= STILL * before.share && share < MOST_TOLERATED) {
      this.#tolerate(now, share, before.perSecond);
      return;
    }
    this.#before = { share, perSecond };
    this.#change(Math.max(SLOWEST, (accepted * 1_000) / ms));
  }

  /** As many are refused at any pace. */
  #tolerate(now: number, share: number, perSecond: number | undefined): void {
    this.#tolerated = Math.min(MOST_TOLERATED, 1.5 * share);
    this.#toleratedAt = now;
    this.#before = undefined;
    if (perSecond === undefined) this.#perSecond = undefined;
    else this.#change(perSecond);
  }

  get #share(): number {
    const { accepted, refused } = this.#round;
    return refused === 0 ? 0 : refused / (accepted + refused);
  }

  #tolerance(now: number): number {
    if (now - this.#toleratedAt > TOLERATED_FOR_MS) this.#tolerated = TOLERATED;
    return this.#tolerated;
  }

  #change(perSecond: number): void {
    const now = this.#now();
    if (this.#perSecond === undefined || perSecond < this.#perSecond) {
      this.#from = now;
      this.#step = FIRST_STEP;
    } else this.#before = undefined;
    this.#perSecond = perSecond;
    this.#changedAt = now;
    this.#round = { accepted: 0, refused: 0 };
    this.#inARow = 0;
  }
}
