import type { Clock } from "./capacity.ts";

/** So few that are refused are no reason to lower the pace. */
const TOLERATED = 0.03;
/** Of those that are refused at any pace, so many times as many are none either. */
const TIMES = 1.3;
const MOST_TOLERATED = 0.4;
/** That is looked at again after this time, and each time later. */
const TOLERATED_MS = 20_000;
const LONGEST_TOLERATED_MS = 300_000;

/** Where so many of so many mails are refused, however the pace was lowered, it is tried whether that is why. If it is, the next trial comes after twice as many. */
const TRIED_FROM = 0.05;
const TRIED_TO = 0.5;
const TRIED_AFTER = 40;
const TRIED_AFTER_MOST = 1_280;
/** Of the pace. */
const TRIED = 0.7;
/**
 * What speaks for chance, or against it, is the logarithm of how much likelier an answer is where as many are refused as before than where so
 * few are; and how much of it is enough.
 */
const BY_CHANCE = 0.01;
const FOR = 6;
const AGAINST = -2.5;

/**
 * Which share of mails is refused at any pace: by one server of many that has its limit, or for single recipients. No pace mends that, and a pace that
 * follows what is accepted would fall for ever. Much less is asked for during some mails: where as many are refused as before, the pace is not why.
 */
export class ChanceRefusals {
  readonly #now: () => number;
  /** Since the last trial. */
  #heard = { accepted: 0, refused: 0 };
  #triedAfter = TRIED_AFTER;
  #trial: { readonly perSecond: number; readonly share: number; sum: number } | undefined;
  #share = TOLERATED;
  #until = 0;
  #forMs = TOLERATED_MS;

  constructor({ now }: Clock) {
    this.#now = now;
  }

  /** The share of mails that may be refused. */
  get tolerated(): number {
    return this.isTolerant ? this.#share : TOLERATED;
  }

  /** Whether that is more than a few. */
  get isTolerant(): boolean {
    return this.#now() < this.#until;
  }

  /** So many were refused that the pace is lowered: what it is for a trial instead, if it is time for one. */
  mayTry(perSecond: number): number | undefined {
    const { accepted, refused } = this.#heard;
    if (accepted + refused < this.#triedAfter) return undefined;
    const share = refused / (accepted + refused);
    this.#heard = { accepted: 0, refused: 0 };
    if (share < TRIED_FROM || share > TRIED_TO) return undefined;
    this.#trial = { perSecond, share, sum: 0 };
    return TRIED * perSecond;
  }

  /** A mail was accepted or refused; undefined: there is no trial. `perSecond`: the pace before. */
  heard(isRefused: boolean): "goes on" | { readonly isChance: boolean; readonly perSecond: number } | undefined {
    this.#heard[isRefused ? "refused" : "accepted"] += 1;
    const trial = this.#trial;
    if (trial === undefined) return undefined;
    const { perSecond, share } = trial;
    trial.sum += isRefused ? Math.log(share / BY_CHANCE) : Math.log((1 - share) / (1 - BY_CHANCE));
    if (trial.sum > AGAINST && trial.sum < FOR) return "goes on";
    const isChance = trial.sum >= FOR;
    this.end();
    if (isChance) this.#tolerate(share);
    else {
      this.#forMs = TOLERATED_MS;
      this.#triedAfter = Math.min(TRIED_AFTER_MOST, 2 * this.#triedAfter);
    }
    return { isChance, perSecond };
  }

  /** Ends a trial without an answer. */
  end(): void {
    this.#trial = undefined;
  }

  #tolerate(share: number): void {
    this.#share = Math.min(MOST_TOLERATED, TIMES * share);
    this.#until = this.#now() + this.#forMs;
    this.#forMs = Math.min(LONGEST_TOLERATED_MS, 2 * this.#forMs);
    this.#heard = { accepted: 0, refused: 0 };
    this.#triedAfter = TRIED_AFTER;
  }
}
