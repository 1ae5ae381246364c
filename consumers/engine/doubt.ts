import { Neighbours } from "./neighbours.ts";
import { SlowParties, type UnderWayOf } from "./slow-parties.ts";
import { Strangers } from "./strangers.ts";
import { KEPT, LEAST_SLOW_MS, Tally, type UnderWay } from "./tally.ts";
import { Welcome } from "./welcome.ts";

/** A piece of work, as far as it is known before it is attempted. */
export interface Candidate {
  readonly party: string | undefined;
  /** It was attempted before, and failed. */
  readonly wasTried: boolean;
  /** Its place among those that were made before and after it: ids of events grow with time. */
  readonly place: string;
}

/** Which kinds are in vain, and what is past the commit point, by party. */
interface Judged {
  readonly tried: boolean;
  readonly unknown: boolean;
  readonly committed: ReadonlyMap<string, UnderWayOf>;
}

const NONE: UnderWayOf = { slow: 0, all: 0 };
/** For so long nothing that is under way is looked at again, in ms. */
const JUDGED_MS = 10;

/** A piece under way, from when the other system was asked (monotonic, ms). */
interface Running extends Candidate {
  since?: number;
  /** When its commit point was passed: it cannot be given up. */
  committedAt?: number;
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
/** Those of slow parties, all together. */
const MOST_SLOW = 0.5;
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

/** What the next answer of a party is worth, of what the one before it was: it is likely to be the same. */
export const ODDS_OF_NEXT = 0.25;

/**
 * Which pieces are in doubt: those of a kind that took more time in vain than for good, lately. There are two kinds, what was tried
 * before, and what is for a party that has accepted nothing yet. What is under way, and takes much longer than others, is in vain as far as
 * is known. What was tried is in doubt while any is: it is what became of those in vain. While some are late or in vain, strangers are in
 * doubt, too, where more of them wait than may be under way (`strangers.ts`). What is for a party that accepts is never in doubt before it
 * was tried; but a party that takes much longer than others has a part only (`slow-parties.ts`). Others go first: few in doubt are in flight, and they get what others leave of the other system.
 */
export class Doubt {
  readonly #allowance: () => number;
  readonly #now: () => number;
  readonly #tried = new Tally();
  readonly #unknown = new Tally();
  readonly #welcome = new Welcome();
  readonly #running = new Set<Running>();
  readonly #neighbours = new Neighbours();
  readonly #runningOf = new Map<string, number>();
  readonly #slow: SlowParties;
  #judged: (Judged & { readonly at: number }) | undefined;
  readonly #strangers: Strangers;
  /** How long a piece takes that is good, lately, in ms; 0: none was. */
  #usualMs = 0;
  /** How many pieces were good so far. */
  #good = 0;
  /** More strangers wait than may be under way, and some are in vain or late. */
  #isCrowded = false;
  /** More pieces of slow parties wait than may be under way. */
  #isSlowCrowded = false;
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
    this.#slow = new SlowParties(now);
  }

  /** Whether some kind is in doubt now. */
  get isActive(): boolean {
    return this.#isCautious || this.isVain;
  }

  /** Whether some kind lately took more time in vain than for good, or what is slow waits. */
  get isVain(): boolean {
    return this.#isSlowCrowded || this.#isVainKind;
  }

  get #isVainKind(): boolean {
    const { tried, unknown } = this.#inVain();
    return tried || unknown;
  }

  has(candidate: Candidate): boolean {
    return this.isStranger(candidate)
      ? this.#isCrowded || this.#inVain().unknown
      : candidate.wasTried && (this.#isCautious || this.#isVainKind);
  }

  /** Whether it is of a kind that is in vain. */
  isOfVainKind(candidate: Candidate): boolean {
    return this.isStranger(candidate) ? this.#inVain().unknown : candidate.wasTried && this.#isVainKind;
  }

  /** Whether it is for a party whose pieces take much longer than others: it has a part of what there is, whatever else is known of it. */
  isSlow({ party }: Pick<Candidate, "party">): boolean {
    return party !== undefined && this.#slow.has(party, this.#inVain().committed.get(party) ?? NONE);
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
    const quick = waiting.filter((each) => !this.isSlow(each));
    this.#isSlowCrowded = waiting.length - quick.length > this.roomForSlow("few");
    this.#isCrowded =
      this.#isCautious && quick.filter((each) => this.isStranger(each)).length > this.roomForStrangers();
  }

  /** How many more of slow parties may be under way, all together. */
  roomForSlow(others: "few" | "many"): number {
    const slow = [...this.#running].filter((each) => this.isSlow(each)).length;
    const half = Math.max(1, Math.floor(MOST_SLOW * this.#allowance()));
    return Math.max(0, (others === "few" ? half : this.#mostBeside) - slow);
  }

  /** Whether it is for a party that has accepted nothing yet, and was not tried. */
  isStranger({ party, wasTried }: Candidate): boolean {
    return !wasTried && party !== undefined && !this.#welcome.has(party);
  }

  #strangersUnanswered(): number {
    const longAgo = this.#now() - GIVEN_UP_MS;
    const mayCommit = ({ since, committedAt }: Running) =>
      since === undefined || committedAt !== undefined || since > longAgo;
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
    if (!this.#isVainKind && others === "few") return this.#allowance();
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
    return ODDS_OF_NEXT ** Math.max(0, -this.#welcome.pointsOf(party));
  };

  /** How likely a piece in doubt is good, by what became of those that were made next to it; at least 1. */
  readonly oddsBeside = ({ place }: Pick<Candidate, "place">): number => this.#neighbours.odds(place);

  /** A piece has ended; `turnMs`: it cost so much at least of what others want as well. */
  ended(
    { party, wasTried, place }: Candidate,
    { ms, isVain, turnMs = 0 }: { readonly ms: number; readonly isVain: boolean; readonly turnMs?: number },
  ): void {
    const costMs = Math.max(ms, turnMs);
    if (!isVain) this.#good += 1;
    if (!isVain) this.#usualMs = this.#usualMs === 0 ? ms : KEPT * this.#usualMs + (1 - KEPT) * ms;
    if (wasTried) this.#tried.add(costMs, isVain);
    else if (party !== undefined && !this.#welcome.has(party)) {
      this.#strangers.ended({ ms, isVain }, this.#known);
      if (isVain) this.#warnedAt = this.#now();
      this.#unknown.add(costMs, isVain);
      this.#neighbours.ended(place, isVain);
    }
    if (party !== undefined) this.#welcome.judge(party, isVain);
    this.#judged = undefined;
  }

  /** Runs the work of a piece, which says how far it is. */
  async around<Result>(candidate: Candidate, work: (progress: Progress) => Promise<Result>): Promise<Result> {
    const running: Running = { ...candidate };
    this.#running.add(running);
    this.#count(candidate, 1);
    const begins = () => {
      running.since = this.#now();
    };
    const commits = () => {
      running.committedAt = this.#now();
    };
    try {
      return await work({ begins, commits });
    } finally {
      this.#running.delete(running);
      const { committedAt } = running;
      if (candidate.party !== undefined && committedAt !== undefined)
        this.#slow.ended(candidate.party, this.#now() - committedAt);
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
  #inVain(): Judged {
    const now = this.#now();
    if (this.#judged !== undefined && now - this.#judged.at < JUDGED_MS) return this.#judged;
    const lateMs = Math.max(LEAST_LATE_MS, LATE_TIMES * this.#usualMs);
    const [tried, unknown]: [UnderWay[], UnderWay[]] = [[], []];
    const committed = new Map<string, UnderWayOf>();
    for (const each of this.#running) {
      const { party, committedAt } = each;
      if (party !== undefined && committedAt !== undefined) {
        const { slow, all } = committed.get(party) ?? NONE;
        committed.set(party, { slow: slow + Number(this.#slow.isLate(party, now - committedAt)), all: all + 1 });
      }
      if (each.since === undefined) continue;
      const underWay = { ms: now - each.since, isCommitted: each.committedAt !== undefined };
      if (each.wasTried) tried.push(underWay);
      else if (this.isStranger(each)) unknown.push(underWay);
    }
    if (this.#usualMs > 0 && unknown.some(({ ms }) => ms > lateMs)) this.#warnedAt = now;
    this.#judged = { at: now, tried: this.#tried.isVain(tried), unknown: this.#unknown.isVain(unknown), committed };
    return this.#judged;
  }
}
