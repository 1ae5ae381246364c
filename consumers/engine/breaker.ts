import { jitteredMs } from "../../runtime/backoff.ts";
import { type AskedFor, DeclinedRow } from "./declined-row.ts";
import { FailureRow } from "./failure-row.ts";
import { Permit } from "./permit.ts";

/**
 * closed: normal. open: the other system fails, or declines everything; it is probed. recovering: a probe succeeded; the
 * allowance grows by one with each success.
 */
export type BreakerState = "closed" | "open" | "recovering";

export interface BreakerOptions {
  /** Maximum entries in flight when it is closed. */
  readonly concurrency: number;
  /** Entries that the other system has room for, perhaps 0; no limit if not given. */
  readonly capacity?: (() => number) | undefined;
  /** Whether others have all of that: the system works, and there is nothing to probe it with. */
  readonly isFull?: () => boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Called at each change. `reason`: that of the last failure. */
  readonly onChange: (state: BreakerState, reason: string) => void;
}

/** A piece of work, by its event and by whom it concerns. */
export interface Concerned {
  readonly eventId: string;
  readonly party: string | undefined;
}

/** Why it is not closed, or why it may open soon. */
export interface Trouble {
  readonly reason: string;
  /** The other system's words, addresses removed. */
  readonly words?: string | undefined;
}

/** A failure of the system. */
export interface SystemFailure extends Trouble {
  /** Asking again may do harm: probes are rare, and need a permit. */
  readonly isHarmful?: boolean | undefined;
}

/** A probe every 2 to 4 s, with jitter, so that consumers do not probe at the same time. */
const PROBE_EVERY_MS = 4_000;
/** Who was refused a permit asks again so soon: twice in the shortest rest, for in it one learns how often was asked. */
const PERMIT_EVERY_MS = 2_000;
/** Pieces in a row that may not probe, because they are like the one that failed; then there is no other. */
const PASSED_OVER_MOST = 20;

/**
 * Stops work while the other system fails, and knows when it declines everything.
 *
 * Fails: no answer, or none that concerns a piece. Five failures in a row over at least two events open it, unless some of the
 * work succeeds. Then entries are released, and one at a time probes, never the same twice running.
 *
 * Where each question may do harm, as a refused login may lock an account, two failures in a row open it, and each probe needs a
 * permit, which all consumers share (`probes.ts`).
 *
 * Who has no room there because others have all cannot probe, and need not: for them it works. So it closes, and its capacity keeps it from taking work
 * (`closeIfFull`).
 *
 * Declines: a working system refuses pieces of different parties. After five parties in a row, with no success between, no
 * refusal is a piece's own: nothing is dead-lettered and no attempt is used up. If it goes on, the breaker opens; but work goes
 * on, because whoever is declined must not hold up the rest: after a thousand in a row ever fewer at the same time.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = "closed";
  readonly #failed = new FailureRow();
  /** Monotonic, ms: the last beginning of work that was accepted. */
  #acceptedSince = Number.NEGATIVE_INFINITY;
  readonly #declined = new DeclinedRow();
  #probeAt = 0;
  readonly #permit = new Permit();
  #failedProbe: Concerned | undefined;
  readonly #passedOver = new Set<string>();
  #allowed = 1;
  #trouble: Trouble | undefined;
  /** Monotonic, ms. */
  #troubleAt = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** What failed or was declined last; undefined after a success. */
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** Ms since then; undefined after a success. */
  get troubleAgeMs(): number | undefined {
    return this.#trouble === undefined ? undefined : this.#options.now() - this.#troubleAt;
  }

  /** Ms until the next probe; undefined: it is not open. */
  get probeInMs(): number | undefined {
    if (this.#state !== "open") return undefined;
    return Math.max(0, Math.max(this.#probeAt, this.#permit.refusedUntil(this.#options.now())) - this.#options.now());
  }

  /** Whether it would probe now, if it had a permit. */
  get needsPermit(): boolean {
    const now = this.#options.now();
    return this.#state === "open" && !this.isDeclining && this.#permit.isMissing(now) && now >= this.#probeAt;
  }

  /** It may probe now, and has not done so. */
  get hasPermit(): boolean {
    return this.#permit.isGiven(this.#options.now());
  }

  /** The last failure was one of those that make each further question a risk. */
  get isHarmful(): boolean {
    return this.#permit.isHarmful;
  }

  /** It may probe once, within this time. */
  permit(forMs: number): void {
    this.#permit.give(this.#options.now() + forMs);
  }

  /** It may not probe for so long, unless the system works for another consumer before: so it asks again soon. */
  refusePermit(forMs: number): void {
    const { now, random } = this.#options;
    this.#permit.refuse(now() + forMs);
    this.#probeAt = now() + jitteredMs(Math.min(forMs, PERMIT_EVERY_MS), random);
  }

  /** Whether everything is declined, not only the pieces of some party. */
  get isDeclining(): boolean {
    return this.#declined.isOfAll;
  }

  /** Whether everything is, or was lately: a system that takes so many a minute declines everything for a part of each. */
  get hasDeclinedLately(): boolean {
    return this.#declined.wasOfAllLately(this.#options.now());
  }

  /** When what was declined was asked for, as everything is, or was last; undefined if it never was. Monotonic, ms. */
  get allDeclined(): AskedFor | undefined {
    return this.#declined.allDeclined;
  }

  /** How many parties have declined since the last success, as many as it takes. */
  get decliningParties(): number {
    return this.#declined.parties;
  }

  /** When work began, at the latest, that was accepted. Monotonic, ms. */
  get acceptedSince(): number {
    return this.#acceptedSince;
  }

  /** Maximum entries in flight now. */
  allowance(): number {
    if (this.#options.capacity?.() === 0) return 0;
    switch (this.#state) {
      case "closed":
        return this.#most();
      case "recovering":
        return Math.min(this.#most(), this.#allowed);
      case "open":
        if (this.isDeclining) return this.#mostWhileDeclining();
        return this.#mayProbeNow() ? 1 : 0;
    }
  }

  /** Whether a piece may be attempted as a probe: not the one that failed last, nor one of the same party, if there are others. */
  mayProbe({ eventId, party }: Concerned): boolean {
    const failed = this.#failedProbe;
    const isAlike = failed?.eventId === eventId || (party !== undefined && failed?.party === party);
    if (!this.#onlyProbes || !isAlike || this.#passedOver.size >= PASSED_OVER_MOST) return true;
    // It was passed over before, and no other one has probed since: there is none.
    if (this.#passedOver.has(eventId)) return true;
    this.#passedOver.add(eventId);
    return false;
  }

  get #onlyProbes(): boolean {
    return this.#state === "open" && (!this.isDeclining || this.#mostWhileDeclining() === 1);
  }

  /** It works for others, who leave no room for a probe. To be called often. Where asking does harm, that it works for others says too little. */
  closeIfFull(): void {
    if (this.#state === "closed" || this.isDeclining || this.isHarmful || this.#options.isFull?.() !== true) return;
    this.#forget();
    this.#trouble = undefined;
    this.#change("closed", "the system works, and has no room");
  }

  /** The system works: a piece succeeded, or was judged alone. */
  succeeded(): void {
    const wasDeclining = this.isDeclining;
    this.#answered();
    this.#trouble = undefined;
    this.#declined.end(this.#options.now());
    if (wasDeclining && this.#state === "open") this.#allowed = this.#most();
    this.#stepUp();
  }

  /** A piece was accepted whose work began at `startedAt` (monotonic, ms). */
  accepted(startedAt: number): void {
    this.#acceptedSince = Math.max(this.#acceptedSince, startedAt);
    this.succeeded();
  }

  /** The system works, and declined a piece because of its party. */
  declined(piece: Trouble & { readonly eventId: string; readonly party: string; readonly askedAt: number }) {
    const { eventId, party, askedAt, ...trouble } = piece;
    this.#answered();
    this.#troubled(trouble);
    const now = this.#options.now();
    this.#declined.add({ party, askedAt }, now);
    if (!this.isDeclining) return this.#stepUp();
    if (this.#state === "closed" && !this.#declined.isLasting(now)) return;
    this.#failedProbe = { eventId, party };
    this.#open(`everything is declined: ${trouble.reason}`);
  }

  /** The system failed, whatever the piece. */
  failed({ isHarmful = false, ...trouble }: SystemFailure, concerned: Concerned): void {
    const { reason } = trouble;
    this.#troubled(trouble);
    if (isHarmful) this.#permit.failed();
    else this.#permit.end();
    this.#failed.failed(concerned.eventId);
    if (this.#state === "recovering") this.#allowed = Math.max(1, Math.floor(this.#allowed / 2));
    if (!this.#isTripped()) return;
    this.#declined.end(this.#options.now());
    this.#failedProbe = concerned;
    this.#open(reason);
  }

  #most(): number {
    const { concurrency, capacity } = this.#options;
    return Math.max(1, Math.min(concurrency, capacity?.() ?? concurrency));
  }

  #mayProbeNow(): boolean {
    const now = this.#options.now();
    return now >= this.#probeAt && !this.#permit.isMissing(now);
  }

  #mostWhileDeclining(): number {
    return Math.max(1, Math.floor(this.#most() * this.#declined.share));
  }

  #isTripped(): boolean {
    if (this.#state === "open" && !this.isDeclining) return true;
    if (this.#permit.isTripped) return true;
    return this.#state === "recovering" ? this.#failed.isTrippedAgain : this.#failed.isTripped;
  }

  #answered(): void {
    this.#forget();
    this.#failed.answered();
  }

  /** What failed. */
  #forget(): void {
    this.#failed.end();
    this.#permit.end();
    this.#failedProbe = undefined;
    this.#passedOver.clear();
  }

  #troubled(trouble: Trouble): void {
    this.#trouble = trouble;
    this.#troubleAt = this.#options.now();
  }

  #open(reason: string): void {
    const { now, random } = this.#options;
    this.#probeAt = now() + jitteredMs(PROBE_EVERY_MS, random);
    this.#permit.use();
    this.#passedOver.clear();
    this.#allowed = 1;
    this.#change("open", reason);
  }

  #change(state: BreakerState, reason: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onChange(state, reason);
  }

  /** Allows one more after a success. */
  #stepUp(): void {
    if (this.#state === "closed") return;
    if (this.#state === "open") this.#change("recovering", "a probe was answered");
    this.#allowed += 1;
    if (this.#allowed < this.#most()) return;
    this.#change("closed", "the system works again");
  }
}
