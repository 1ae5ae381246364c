import type { Clock } from "./capacity.ts";
import { ChanceRefusals } from "./chance-refusals.ts";
import { Lately } from "./lately.ts";
import { firstStep, holdMs, type KnownRate, stillKnown } from "./pace-hold.ts";

/** Over which it is measured what the server accepts before a pace is known. */
const MEASURED_MS = 5_000;
/** Within these it accepted what it did, at least: where most are refused, and where few are. */
const MEASURED_LEAST_MS = { most: 1_000, few: 50 };
/** One a minute: rates that count what they refuse grant nothing to whoever asks more often. */
const SLOWEST = 1 / 60;
/** Or so little of the mean until it accepted none: it is soon known that it grants some again, and costs little where that counts. */
const SLOWEST_SHARE = 1 / 200;
/** Of what the server grants: what is asked for until more is tried. */
const KEPT = 0.98;

/** More is tried, and twice as much in each round of so many mails and ms, at least. */
const LARGEST_STEP = 0.5;
/** At first, until one is too fast. */
const DOUBLING = 1;
const ROUND_MAILS = 2;
const ROUND_MS = 500;
/**
 * Where nothing was accepted for a time, as after so many mails a minute, a pace that is too fast shows as late: a round is as long. That time counts
 * less each time that it is shorter.
 */
const LAG_LEFT = 0.8;
const LONGEST_LAG_MS = 60_000;

/** The mean since the last limit tells what is granted, if it is of so many mails, and not of a rate that was lower by so much. */
const MEAN_OF = 20;
const LOWER = 1.1;
/** Where so many are refused as soon as the pace is so little faster than before, that was the right one. */
const AT_ONCE = 0.25;
const LITTLE = 1.15;

/** Most of the mails. */
const MOST = 0.5;
/** Fewer refusals are chance; at a pace below three a second, fewer than two. */
const FEW = 3;
const FEWEST = 2;
/** So many at once say nothing yet where none is accepted yet: what is refused is refused quickly. */
const FEW_AT_FIRST = 6;
/** So many that are accepted in a row show that the pace is right, though some were refused before. */
const CLEAN = 20;
/** Without a wait for so long, the rate is no limit any more. */
const FORGET_MS = 60_000;

/**
 * How many mails a second the server grants: unlimited until it says that it is too fast. From then on little less than what it has granted is asked for,
 * for a part of the time for which that has been so, then more and more, until it says so again.
 *
 * What it grants is the mean since it last said so, which is true of buckets and windows of any size: what was left over at a slow pace was used at
 * a fast one. Where that is of few mails, or of another rate, it is what was accepted of what was asked for since the last change. While nothing is accepted, half
 * as much is asked for after some refusals, and then what was accepted on the average since the last time that this ended.
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
  #acceptedInARow = 0;
  #waitedAt = 0;
  #step = 0;
  /** Each pace so far was kept, since it was found that there is one, or that refusals were chance. */
  #isFirst = false;
  #isBlackout = false;
  #lastMean = 0;
  /** Since the server accepted some again after it accepted none, and since the last limit. */
  #cycle = { at: 0, accepted: 0 };
  #epoch = { at: 0, accepted: 0 };
  /** The pace of the last round in which few were refused, since the last limit. */
  #good = 0;
  /** What the server grants, as far as is known, and when that was found. */
  #known: (KnownRate & { readonly at: number }) | undefined;
  #holdUntil = 0;
  /** Since when nothing is accepted, and how long a round is for that. */
  #blackoutAt = 0;
  #lagMs = 0;
  readonly #chance: ChanceRefusals;

  constructor({ now }: Clock) {
    this.#now = now;
    this.#chance = new ChanceRefusals({ now });
    this.#epoch.at = now();
    this.#cycle.at = now();
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
      if (now - this.#cycle.at > FORGET_MS) this.#cycle = { at: now, accepted: 0 };
      this.#cycle.accepted += 1;
      this.#inARow = 0;
      return;
    }
    this.#epoch.accepted += 1;
    this.#cycle.accepted += 1;
    if (begunAt <= this.#changedAt) return;
    this.#inARow = 0;
    this.#round.accepted += 1;
    this.#acceptedInARow += 1;
    if (this.#tries(false)) return;
    if (this.#isBlackout) {
      const mean = this.#mean(this.#cycle);
      this.#cycle = { at: now, accepted: 1 };
      this.#isBlackout = false;
      this.#lastMean = mean;
      this.#lagMs = Math.min(LONGEST_LAG_MS, Math.max(now - this.#blackoutAt, LAG_LEFT * this.#lagMs));
      this.#granted(Math.max(perSecond, mean), 1);
      return;
    }
    if (now - this.#waitedAt > Math.max(FORGET_MS, 3_000 / perSecond)) {
      this.#perSecond = undefined;
      this.#known = undefined;
      return;
    }
    const ms = now - this.#changedAt;
    if (now < this.#holdUntil || ms < Math.max(ROUND_MS, this.#lagMs)) return;
    if (this.#round.accepted < ROUND_MAILS) return;
    if (this.#share > this.#chance.tolerated && this.#acceptedInARow < CLEAN) return;
    // What was not made use of shows nothing.
    if (this.#round.accepted < (perSecond * ms) / 2_000 - 1) return;
    this.#good = perSecond;
    this.#change(perSecond * (1 + (this.#isFirst ? DOUBLING : this.#step)));
    this.#step = Math.min(LARGEST_STEP, 2 * this.#step);
  }

  /** A mail that began at this time was refused, since there were too many. */
  tooFast(begunAt: number): void {
    const now = this.#now();
    // It says nothing about what has changed since.
    if (begunAt <= this.#changedAt) return;
    this.#refused.add(now);
    this.#round.refused += 1;
    this.#inARow += 1;
    this.#acceptedInARow = 0;
    if (this.#perSecond === undefined) this.#find(now);
    else this.#lower(now, this.#perSecond);
  }

  /** Others ask no more: it may be more than all had together, of whom each knew what the others left. */
  hasItAlone(perSecond: number): void {
    if (this.#perSecond === undefined) return;
    this.#chance.end();
    this.#known = undefined;
    this.#isFirst = true;
    this.#holdUntil = 0;
    this.#lagMs = 0;
    this.#change(Math.max(this.#perSecond, perSecond));
  }

  /** No limit is known any more. */
  forget(): void {
    this.#perSecond = undefined;
    this.#known = undefined;
    this.#isBlackout = false;
    this.#lagMs = 0;
    this.#chance.end();
    this.#cycle = { at: this.#now(), accepted: 0 };
  }

  #find(now: number): void {
    this.#accepted.forget(now);
    const { first = now, count } = this.#accepted;
    const refused = this.#refused.count;
    const share = refused / (refused + count);
    if (count === 0 ? this.#inARow < FEW_AT_FIRST : refused < FEW || share <= this.#chance.tolerated) return;
    this.#waitedAt = now;
    this.#isFirst = count < MEAN_OF;
    this.#granted(
      Math.max(1, (count * 1_000) / Math.max(MEASURED_LEAST_MS[share < MOST ? "few" : "most"], now - first)),
    );
  }

  #lower(now: number, perSecond: number): void {
    if (this.#tries(true)) return;
    const { accepted, refused } = this.#round;
    if (this.#inARow >= 2 + perSecond / 8) {
      if (!this.#isBlackout) this.#blackoutAt = now;
      this.#isBlackout = true;
      this.#isFirst = false;
      this.#chance.end();
      this.#change(Math.max(SLOWEST, SLOWEST_SHARE * this.#lastMean, perSecond / 2));
      return;
    }
    if (accepted === 0 || !this.#isTooMany(perSecond)) return;
    this.#isFirst = false;
    const shown = Math.max(this.#good, perSecond * (1 - refused / (accepted + refused + 3)));
    const tried = this.#chance.mayTry(shown);
    if (tried !== undefined) {
      this.#change(Math.max(SLOWEST, tried));
      return;
    }
    const mean = this.#mean(this.#epoch);
    const isAtOnce = this.#share >= AT_ONCE && perSecond < LITTLE * this.#good;
    const isMean = !isAtOnce && this.#epoch.accepted >= MEAN_OF && shown < LOWER * mean;
    this.#granted(isAtOnce ? this.#good : isMean ? Math.min(perSecond, mean) : shown);
  }

  /** More were refused than is chance. */
  #isTooMany(perSecond: number): boolean {
    const { accepted, refused } = this.#round;
    const tolerated = this.#chance.tolerated * (accepted + refused);
    if (this.#chance.isTolerant) return refused > tolerated + Math.sqrt(tolerated) + 1;
    if (refused >= MOST * (accepted + refused)) return true;
    return refused >= Math.min(FEW, Math.max(FEWEST, Math.round(perSecond))) && refused > tolerated;
  }

  get #share(): number {
    const { accepted, refused } = this.#round;
    return refused === 0 ? 0 : refused / (accepted + refused);
  }

  /** A mail is part of a trial, which it may end. */
  #tries(isRefused: boolean): boolean {
    const trial = this.#chance.heard(isRefused);
    if (trial === "goes on") return true;
    if (trial === undefined) return false;
    if (trial.isChance) {
      this.#change(trial.perSecond);
      this.#isFirst = true;
      this.#holdUntil = 0;
    } else this.#granted(trial.perSecond);
    return true;
  }

  /** Mails a second that were accepted since a time. */
  #mean({ at, accepted }: { readonly at: number; readonly accepted: number }): number {
    return (1_000 * accepted) / Math.max(1_000, this.#now() - at);
  }

  /** The server grants so many; it has just accepted some. */
  #granted(perSecond: number, accepted = 0): void {
    const now = this.#now();
    this.#epoch = { at: now, accepted };
    this.#good = 0;
    const before = this.#known;
    const known = stillKnown(before && { ...before, stoodMs: before.stoodMs + now - before.at }, perSecond);
    this.#known = { ...known, at: now };
    this.#holdUntil = now + holdMs(known);
    this.#step = firstStep(known);
    this.#change(Math.max(SLOWEST, KEPT * perSecond));
  }

  #change(perSecond: number): void {
    const now = this.#now();
    if (this.#perSecond === undefined || perSecond < this.#perSecond) this.#from = now;
    this.#perSecond = perSecond;
    this.#changedAt = now;
    this.#round = { accepted: 0, refused: 0 };
    this.#inARow = 0;
  }
}
