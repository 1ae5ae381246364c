import { Neighbours } from "./neighbours.ts";
import { Strangers } from "./strangers.ts";
import { KEPT, LEAST_SLOW_MS, Tally, type UnderWay } from "./tally.ts";

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
  /** Its commit point is passed: it cannot be given up. */
  isCommitted: boolean;
}

/** What the work of a piece says of itself. */
export interface Progress {
  /** The other system is asked. */
  readonly begins: () => void;
  /** The commit point is passed. */
  readonly commits: () => void;
}

/** Of the pieces that may be in flight, those in doubt are at most this share, one at least: what comes then still finds room. */
const MOST_IN_DOUBT = 0.75;
/** The same where many others come: of the other system they would get as much. */
const MOST_BESIDE = 0.1;

/** A stranger without an answer is late after so many times what is usual, and so long at least, in ms. */
const LATE_TIMES = 2;
const LEAST_LATE_MS = 150;
/** Until so many were good, nothing is known to be late: others that began with them may be silent. */
const FIRST_GOOD = 20;
/** Strangers are few for so long after one was late or in vain, in ms. */
const CAUTIOUS_MS = 1_000;

/** One that has not passed its commit point for so long can be given up: it does not count among strangers without an answer. In ms. */
const GIVEN_UP_MS = 100;

/** A party that accepts a third of its pieces stays welcome; one that accepted none of the last eight is not. */
const GOOD_POINTS = 2;
const MOST_POINTS = 8;
const MOST_PARTIES = 5_000;
/** What the next answer of a party is worth, of what the one before it was: it is likely to be the same. */
export const ODDS_OF_NEXT = 0.25;

/**
 * Which pieces are in doubt: those of a kind that took more time in vain than for good, lately. There are two kinds, what was tried
 * before, and what is for a party that has accepted nothing yet. What is under way, and takes much longer than others, is in vain as far as
 * is known. What was tried is in doubt while any is: it is what became of those in vain. While some are late or in vain, strangers are in
 * doubt, too, where more of them wait than may be under way (`strangers.ts`). What is for a party that accepts is never in doubt before it
 * was tried. Others go first: few in doubt are in flight, and they get what others leave of the other system.
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
  readonly #strangers: Strangers;
  /** How long a piece takes that is good, lately, in ms; 0: none was. */
  #usualMs = 0;
  /** How many pieces were good so far. */
  #good = 0;
  /** More strangers wait than may be under way, and some are in vain or late. */
  #isCrowded = false;
  /** Monotonic, ms: when a stranger was last late or in vain. */
  #warnedAt = Number.NEGATIVE_INFINITY;

  /**
   * `allowance`: how many pieces may be in flight now; `now`: monotonic, ms; `concurrency`: how many may be at most; `ahead`: so many of
   * them only wait.
   */
  constructor(allowance: () => number, now: () => number, { concurrency = allowance(), ahead = 0 } = {}) {
    this.#allowance = allowance;
    this.#now = now;
    this.#strangers = new Strangers(now, { concurrency, ahead });
  }

  /** Whether some kind is in doubt now. */
  get isActive(): boolean {
    return this.#isCautious || this.isVain;
  }

  /** Whether some kind lately took more time in vain than for good. */
  get isVain(): boolean {
    const { tried, unknown } = this.#inVain();
    return tried || unknown;
  }

  has(candidate: Candidate): boolean {
    return this.isStranger(candidate) ? this.#isCrowded || this.#inVain().unknown : candidate.wasTried && this.isActive;
  }

  /** Whether it is of a kind that is in vain. */
  isOfVainKind(candidate: Candidate): boolean {
    return this.isStranger(candidate) ? this.#inVain().unknown : candidate.wasTried && this.isVain;
  }

  /** Whether a stranger was late or in vain lately, or few were good so far. */
  get #isCautious(): boolean {
    this.#inVain();
    if (this.#good > 0 && this.#good < FIRST_GOOD) return true;
    return this.#now() - this.#warnedAt < CAUTIOUS_MS;
  }

  get #known() {
    return { usualMs: this.#usualMs, allowance: this.#allowance(), isCautious: this.#isCautious };
  }

  /** How many more strangers may be under way. Asked while they wait: without an answer there are more with time. */
  roomForStrangers(): number {
    return this.#strangers.room(this.#strangersUnanswered(), this.#known);
  }

  /** How many more may be asked although others are welcome, as their answer tells of several: few that have just begun. */
  roomToAsk(): number {
    const lately = this.#now() - LEAST_SLOW_MS;
    const isRecent = (each: Running) => each.since === undefined || each.since > lately;
    const recent = [...this.#running].filter((each) => isRecent(each) && this.isStranger(each)).length;
    const room = this.#strangers.roomForSeveral(this.#strangersUnanswered(), this.#known);
    return Math.max(0, Math.min(this.#mostBeside - recent, room));
  }

  /** How many more that were tried may be under way where new ones wait: they may hold what they have of the other system for long. */
  roomForTried(): number {
    const tried = [...this.#running].filter(({ wasTried }) => wasTried).length;
    return Math.max(0, this.#mostBeside - tried);
  }

  /** These wait: if some were late or in vain lately, more strangers than may be under way are in doubt, until there is room. */
  look(waiting: readonly Candidate[]): void {
    this.#isCrowded =
      this.#isCautious && waiting.filter((each) => this.isStranger(each)).length > this.roomForStrangers();
  }

  /** Whether it is for a party that has accepted nothing yet, and was not tried. */
  isStranger({ party, wasTried }: Candidate): boolean {
    return !wasTried && party !== undefined && !this.#isWelcome(party);
  }

  #strangersUnanswered(): number {
    const longAgo = this.#now() - GIVEN_UP_MS;
    const mayCommit = ({ since, isCommitted }: Running) => since === undefined || isCommitted || since > longAgo;
    return [...this.#running].filter((each) => mayCommit(each) && this.isStranger(each)).length;
  }

  /** How many pieces may be attempted in a second, by how long a good one takes. */
  get perSecond(): number {
    return (this.#allowance() * 1_000) / this.#usualMs;
  }

  /** How many pieces in doubt may be in flight, where few others come. */
  get most(): number {
    return Math.max(1, Math.floor(MOST_IN_DOUBT * this.#allowance()));
  }

  get #mostBeside(): number {
    return Math.max(1, Math.floor(MOST_BESIDE * this.#allowance()));
  }

  /** How many more of them, where few others come, or many. Where no kind is in vain, strangers are bounded by `roomForStrangers` alone. */
  room(others: "few" | "many"): number {
    if (!this.isVain && others === "few") return this.#allowance();
    const most = others === "few" ? this.most : this.#mostBeside;
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
    if (!isVain) this.#good += 1;
    if (!isVain) this.#usualMs = this.#usualMs === 0 ? ms : KEPT * this.#usualMs + (1 - KEPT) * ms;
    if (wasTried) this.#tried.add(ms, isVain);
    else if (party !== undefined && !this.#isWelcome(party)) {
      this.#strangers.ended({ ms, isVain }, this.#known);
      if (isVain) this.#warnedAt = this.#now();
      this.#unknown.add(ms, isVain);
      this.#neighbours.ended(place, isVain);
    }
    if (party !== undefined) this.#judge(party, isVain);
    this.#judged = undefined;
  }

  /** Runs the work of a piece, which says how far it is. */
  async around<Result>(candidate: Candidate, work: (progress: Progress) => Promise<Result>): Promise<Result> {
    const running: Running = { ...candidate, isCommitted: false };
    this.#running.add(running);
    this.#count(candidate, 1);
    const begins = () => {
      running.since = this.#now();
    };
    const commits = () => {
      running.isCommitted = true;
    };
    try {
      return await work({ begins, commits });
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
    const lateMs = Math.max(LEAST_LATE_MS, LATE_TIMES * this.#usualMs);
    const [tried, unknown]: [UnderWay[], UnderWay[]] = [[], []];
    for (const each of this.#running) {
      if (each.since === undefined) continue;
      const underWay = { ms: now - each.since, isCommitted: each.isCommitted };
      if (each.wasTried) tried.push(underWay);
      else if (this.isStranger(each)) unknown.push(underWay);
    }
    if (this.#usualMs > 0 && unknown.some(({ ms }) => ms > lateMs)) this.#warnedAt = now;
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
