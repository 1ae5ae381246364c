import type { Leader, LeadWish } from "../../../stream/scripts/lead.ts";
import type { Clock } from "./capacity.ts";
import { Lately } from "./lately.ts";
import type { Pace } from "./pace.ts";

/** Mails a second. At a faster rate consumers find turns of their own: who comes first has most of it, and is seldom refused. */
const SLOW = 5;
const LATELY_MS = 60_000;
/** Others ask for the same turns where so many are refused, and such a share; one consumer alone has a tenth refused, at most. Who has more refused than accepted is not the one to lead. */
const FEWEST = 4;
const COLLIDING = 0.15;
const MOSTLY = 0.5;
/** More in a row tell of a window that is used up, which one alone would use up as well. */
const MOST_IN_A_ROW = 1.75;
/** Connections for so many times what all send: for what the rate may be, if they did not meet. */
const ROOM = 2;
/** Since the rate is known: what was accepted before was part of a rush. */
const KNOWN_MS = 20_000;

/** Who leads and has had no answer for so long, or for as long as so many should take, has nothing to send, or cannot. */
const UNUSED_MS = 10_000;
const UNUSED_MAILS = 4;
/** Who has had none accepted for so long may be the only one who has none. */
const IN_VAIN_MS = 120_000;
/** What was heard longer ago says nothing. */
const HEARD_MS = 5_000;
/** By then others have heard of it. */
const ALONE_AFTER_MS = 2_500;
/** The first part of the time alone is for what was under way, and to find the rate. */
const SETTLED_MS = 15_000;
const TRIAL_MS = 30_000;
const TRIAL_MAILS = 8;
/** So much of what all had together one alone has at least, or each has a rate of its own. */
const KEPT = 0.8;

export interface SlowRateOptions extends Clock {
  readonly pace: Pick<Pace, "perSecond" | "hasItAlone">;
  /** Mails a second that the connections of this consumer can send; 0: not known yet. */
  readonly possiblePerSecond: () => number;
  /** Another one leads from now on. */
  readonly onStandBack: () => void;
}

/**
 * Several consumers meet at a rate that is slow and has no bursts: most of their mails are refused, and each takes what is left to it for the rate. So
 * one of them leads: it alone sends, and finds the rate by itself; the others leave their mails to it. Where one has less than all together had,
 * as where each address has a rate of its own, all send as before.
 */
export class SlowRate {
  readonly #now: () => number;
  readonly #pace: Pick<Pace, "perSecond" | "hasItAlone">;
  readonly #possiblePerSecond: () => number;
  readonly #onStandBack: () => void;
  readonly #accepted = new Lately(LATELY_MS);
  readonly #refused = new Lately(LATELY_MS);
  /** The first of those that were refused in a row. */
  readonly #rows = new Lately(LATELY_MS);
  #inARow = 0;
  #knownSince: number | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #acceptedAt = Number.NEGATIVE_INFINITY;
  #heard: { readonly leader: Leader["leader"]; readonly at: number } = {
    leader: "nobody",
    at: Number.NEGATIVE_INFINITY,
  };
  /** What all others had accepted lately, a second, while this one did not lead. */
  #others = 0;
  #leading:
    | { readonly since: number; readonly before: number; accepted: number; isAlone: boolean; isJudged: boolean }
    | undefined;

  constructor(options: SlowRateOptions) {
    this.#now = options.now;
    this.#pace = options.pace;
    this.#possiblePerSecond = options.possiblePerSecond;
    this.#onStandBack = options.onStandBack;
  }

  /** Another one sends; this one has no use for mails. */
  get standsBack(): boolean {
    return this.#heard.leader === "another" && this.#now() - this.#heard.at < HEARD_MS;
  }

  accepted(): void {
    const now = this.#now();
    this.#acceptedAt = now;
    this.#answeredAt = now;
    this.#accepted.add(now);
    this.#inARow = 0;
    if (this.#leading !== undefined && now - this.#leading.since > SETTLED_MS) this.#leading.accepted += 1;
  }

  /** A mail was refused since there were too many. */
  refused(): void {
    const now = this.#now();
    this.#answeredAt = now;
    this.#refused.add(now);
    this.#inARow += 1;
    if (this.#inARow === 1) this.#rows.add(now);
  }

  wish(): LeadWish {
    const now = this.#now();
    return { wish: this.#wish(now), perSecond: this.#perSecond(now) };
  }

  #perSecond(now: number): number {
    if (this.#knownSince === undefined) return 0;
    this.#accepted.forget(now);
    return (1_000 * this.#accepted.count) / Math.min(LATELY_MS, Math.max(KNOWN_MS, now - this.#knownSince));
  }

  #wish(now: number): LeadWish["wish"] {
    const { perSecond } = this.#pace;
    if (this.standsBack) return "one";
    if (perSecond === undefined) {
      this.#knownSince = undefined;
      return "none";
    }
    this.#knownSince ??= now;
    if (this.#leading === undefined) {
      if (perSecond >= SLOW) return "none";
      return now - this.#knownSince >= KNOWN_MS && this.#areColliding(now) ? "one" : "follow";
    }
    const { since, before, accepted, isAlone, isJudged } = this.#leading;
    if (!isAlone && now - since >= ALONE_AFTER_MS) {
      this.#leading.isAlone = true;
      this.#pace.hasItAlone(KEPT * before);
    }
    if (this.#perSecond(now) >= 2 * SLOW) return "none";
    if (now - Math.max(this.#answeredAt, since) > Math.max(UNUSED_MS, (1_000 * UNUSED_MAILS) / perSecond))
      return "none";
    if (now - Math.max(this.#acceptedAt, since) > IN_VAIN_MS) return "none";
    const forMs = now - since - SETTLED_MS;
    if (isJudged || forMs < TRIAL_MS || accepted < TRIAL_MAILS) return "one";
    this.#leading.isJudged = true;
    return (1_000 * accepted) / forMs >= KEPT * before ? "one" : "in vain";
  }

  heard({ leader, othersPerSecond }: Leader): void {
    const now = this.#now();
    const stoodBack = this.standsBack;
    this.#heard = { leader, at: now };
    if (leader === "this") {
      if (this.#leading !== undefined) return;
      const before = this.#perSecond(now) + this.#others;
      this.#leading = { since: now, before, accepted: 0, isAlone: false, isJudged: stoodBack };
      return;
    }
    this.#others = othersPerSecond;
    if (this.#leading !== undefined || (stoodBack && leader === "nobody")) this.#forget(now);
    this.#leading = undefined;
    if (leader === "another" && !stoodBack) this.#onStandBack();
  }

  #areColliding(now: number): boolean {
    for (const each of [this.#accepted, this.#refused, this.#rows]) each.forget(now);
    const [refused, accepted] = [this.#refused.count, this.#accepted.count];
    if (refused < FEWEST || refused > MOST_IN_A_ROW * this.#rows.count) return false;
    if (this.#possiblePerSecond() < ROOM * (this.#perSecond(now) + this.#others)) return false;
    const share = refused / (refused + accepted);
    return share >= COLLIDING && share <= MOSTLY;
  }

  /** What was refused says nothing about those who send from now on. */
  #forget(now: number): void {
    for (const each of [this.#refused, this.#rows]) each.forget(now + 2 * LATELY_MS);
  }
}
