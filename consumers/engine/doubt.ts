import { Neighbours } from "./neighbours.ts";

/** A piece of work, as far as it is known before it is attempted. */
export interface Candidate {
  readonly party: string | undefined;
  /** It was attempted before, and failed. */
  readonly wasTried: boolean;
  /** Its place among those that were made before and after it: ids of events grow with time. */
  readonly place: string;
}

/** Which kinds are in vain. */
interface Kinds {
  readonly tried: boolean;
  readonly unknown: boolean;
}

/** For so long nothing that is under way is looked at again, in ms. */
const JUDGED_MS = 10;

/** A piece under way, from when the other system was asked (monotonic, ms). */
interface Running extends Candidate {
  since?: number;
}

/** What takes so many times as long as others that were good, and so long at least, is in vain as far as is known. In ms. */
const SLOW_TIMES = 3;
const LEAST_SLOW_MS = 250;
/** The same while nothing was good. */
const NOBODY_SLOW_MS = 5_000;

/** Of what was known before a piece, so much counts after it: about the last twenty. */
const KEPT = 0.95;
/** Fewer in vain may be a few that came together. */
const LEAST_VAIN = 5;
/** Of the pieces that may be in flight, those in doubt are at most this share, one at least: what comes then still finds room. */
const MOST_IN_DOUBT = 0.75;
/** The same where many others come: of the other system they would get as much. */
const MOST_BESIDE = 0.1;

/** A party that accepts a third of its pieces stays welcome; one that accepted none of the last eight is not. */
const GOOD_POINTS = 2;
const MOST_POINTS = 8;
const MOST_PARTIES = 5_000;
/** What the next answer of a party is worth, of what the one before it was: it is likely to be the same. */
export const ODDS_OF_NEXT = 0.25;

/** What pieces of one kind took lately: time for good, and in vain. */
class Tally {
  #vainMs = 0;
  #goodMs = 0;
  #vain = 0;
  #good = 0;

  /** `runningMs`: how long each that is under way has taken so far. */
  isVain(runningMs: readonly number[]): boolean {
    const slowMs = this.#good > 0 ? Math.max(LEAST_SLOW_MS, SLOW_TIMES * (this.#goodMs / this.#good)) : NOBODY_SLOW_MS;
    const slow = runningMs.filter((ms) => ms > slowMs);
    if (slow.length >= LEAST_VAIN && slow.reduce((sum, ms) => sum + ms, this.#vainMs) > this.#goodMs) return true;
    return this.#vain >= LEAST_VAIN && this.#vainMs > this.#goodMs;
  }

  add(ms: number, isVain: boolean): void {
    this.#vainMs = this.#vainMs * KEPT + (isVain ? ms : 0);
    this.#goodMs = this.#goodMs * KEPT + (isVain ? 0 : ms);
    this.#vain = this.#vain * KEPT + (isVain ? 1 : 0);
    this.#good = this.#good * KEPT + (isVain ? 0 : 1);
  }
}

/**
 * Which pieces are in doubt: those of a kind that took more time in vain than for good, lately. There are two kinds, what was tried
 * before, and what is for a party that has accepted nothing yet. What is under way, and takes much longer than others, is in vain as far as
 * is known. What was tried is in doubt while either is: it is what became of those in vain. What is for a party that accepts is never in
 * doubt before it was tried. Others go first: few in doubt are in flight, and they get what others leave of the other system.
 */
export class Doubt {
  readonly #allowance: () => number;
  readonly #now: () => number;
  readonly #tried = new Tally();
  readonly #unknown = new Tally();
  /** By party, in the order of the last use: points above 0. */
  readonly #welcome = new Map<string, number>();
  /** Points below 0, so many were in vain; apart, so that however many strangers make nobody forget who is welcome. */
  readonly #refusing = new Map<string, number>();
  readonly #running = new Set<Running>();
  readonly #neighbours = new Neighbours();
  readonly #runningOf = new Map<string, number>();
  #judged: (Kinds & { readonly at: number }) | undefined;

  /** `allowance`: how many pieces may be in flight now; `now`: monotonic, ms. */
  constructor(allowance: () => number, now: () => number) {
    this.#allowance = allowance;
    this.#now = now;
  }

  /** Whether some kind is in doubt now. */
  get isActive(): boolean {
    const { tried, unknown } = this.#inVain();
    return tried || unknown;
  }

  has({ party, wasTried }: Candidate): boolean {
    if (wasTried) return this.isActive;
    return party !== undefined && !this.#isWelcome(party) && this.#inVain().unknown;
  }

  /** How many pieces in doubt may be in flight, where few others come. */
  get most(): number {
    return Math.max(1, Math.floor(MOST_IN_DOUBT * this.#allowance()));
  }

  /** How many more of them, where few others come, or many. */
  room(others: "few" | "many"): number {
    const most = others === "few" ? this.most : Math.max(1, Math.floor(MOST_BESIDE * this.#allowance()));
    // Also those that were not in doubt when they began.
    const running = [...this.#running].filter((each) => this.has(each)).length;
    return Math.max(0, most - running);
  }

  /** How likely a party in doubt is to accept, beside one of whom nothing is known: the less, the more of its pieces were in vain or run. */
  readonly odds = (party: string): number => {
    return this.oddsBefore(party) * ODDS_OF_NEXT ** (this.#runningOf.get(party) ?? 0);
  };

  /** The same, by the answers that it has given. */
  readonly oddsBefore = (party: string): number => {
    return ODDS_OF_NEXT ** Math.max(0, -this.#pointsOf(party));
  };

  /** How likely a piece in doubt is good, by what became of those that were made next to it; at least 1. */
  readonly oddsBeside = ({ place }: Pick<Candidate, "place">): number => this.#neighbours.odds(place);

  /** A piece has ended. */
  ended(
    { party, wasTried, place }: Candidate,
    { ms, isVain }: { readonly ms: number; readonly isVain: boolean },
  ): void {
    if (wasTried) this.#tried.add(ms, isVain);
    else if (party !== undefined && !this.#isWelcome(party)) {
      this.#unknown.add(ms, isVain);
      this.#neighbours.ended(place, isVain);
    }
    if (party !== undefined) this.#judge(party, isVain);
    this.#judged = undefined;
  }

  /** Runs the work of a piece, which says when the other system is asked. */
  async around<Result>(candidate: Candidate, work: (begins: () => void) => Promise<Result>): Promise<Result> {
    const running: Running = { ...candidate };
    this.#running.add(running);
    this.#count(candidate, 1);
    const begins = () => {
      running.since = this.#now();
    };
    try {
      return await work(begins);
    } finally {
      this.#running.delete(running);
      this.#judged = undefined;
      this.#count(candidate, -1);
    }
  }

  #count({ party }: Candidate, change: 1 | -1): void {
    if (party === undefined) return;
    const running = (this.#runningOf.get(party) ?? 0) + change;
    if (running === 0) this.#runningOf.delete(party);
    else this.#runningOf.set(party, running);
  }

  /** Which kinds are in vain. */
  #inVain(): Kinds {
    const now = this.#now();
    if (this.#judged !== undefined && now - this.#judged.at < JUDGED_MS) return this.#judged;
    const [tried, unknown]: [number[], number[]] = [[], []];
    for (const { party, wasTried, since } of this.#running) {
      if (since === undefined) continue;
      if (wasTried) tried.push(now - since);
      else if (party !== undefined && !this.#isWelcome(party)) unknown.push(now - since);
    }
    this.#judged = { at: now, tried: this.#tried.isVain(tried), unknown: this.#unknown.isVain(unknown) };
    return this.#judged;
  }

  #isWelcome(party: string): boolean {
    return this.#welcome.has(party);
  }

  #pointsOf(party: string): number {
    return this.#welcome.get(party) ?? this.#refusing.get(party) ?? 0;
  }

  #judge(party: string, isVain: boolean): void {
    const points = this.#pointsOf(party);
    this.#welcome.delete(party);
    this.#refusing.delete(party);
    const next = isVain ? Math.max(-MOST_POINTS, points - 1) : Math.min(MOST_POINTS, Math.max(0, points) + GOOD_POINTS);
    if (next === 0) return;
    const known = next > 0 ? this.#welcome : this.#refusing;
    known.set(party, next);
    if (known.size <= MOST_PARTIES) return;
    for (const oldest of known.keys()) {
      known.delete(oldest);
      break;
    }
  }
}
