import type { Outcome } from "./outcome.ts";

/**
 * closed: all is well. open: the mail system is down, nothing is read but one probe every few seconds. recovering: a probe
 * went out, and more is let through with each success.
 */
export type BreakerState = "closed" | "open" | "recovering";

export interface BreakerOptions {
  /** Entries that may be in hand when all is well. */
  readonly concurrency: number;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Called once per change. `reason` is what the last failure said. */
  readonly onChange: (state: BreakerState, reason: string) => void;
}

/** Failures in a row, with no success between, that open it. */
const TRIP_AFTER = 5;
/** Of them, at least so many different events: one bad recipient must not stop everybody. */
const TRIP_EVENTS = 2;
/** A probe every 2 to 4 s: mail flows again within seconds, and consumers do not probe in step. */
const PROBE_MIN_MS = 2_000;
const PROBE_SPREAD_MS = 2_000;

/**
 * Keeps a dead mail server from costing anything: it opens after five failures of the system in a row, over at least two
 * events, with no success between; and after five refusals by policy over five domains, for then it is the account that is
 * refused. An open breaker uses up no attempts: entries go back unharmed, one real mail at a time probes, and after a
 * success it opens up step by step.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = "closed";
  #failures = 0;
  #failedEvents = new Set<string>();
  #refusedDomains = new Set<string>();
  #isAccountRefused = false;
  #probeAt = 0;
  #allowed = 1;
  #successes = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** Whether it is open because the server refuses whatever this account sends. */
  get isAccountRefused(): boolean {
    return this.#state === "open" && this.#isAccountRefused;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How many entries may be in hand now. */
  allowance(): number {
    switch (this.#state) {
      case "closed":
        return this.#options.concurrency;
      case "recovering":
        return this.#allowed;
      case "open":
        return this.#options.now() >= this.#probeAt ? 1 : 0;
    }
  }

  /** Learns from a try. Only what a working or failing mail system said counts; being called back says nothing. */
  record(outcome: Outcome, eventId: string): void {
    switch (outcome.kind) {
      case "sent":
        this.#refusedDomains.clear();
        this.#answered();
        break;
      case "transient":
        // A working server said "later" of one mail.
        this.#refusedDomains.clear();
        this.#answered();
        break;
      case "permanent":
        this.#refused(outcome);
        break;
      case "system":
        this.#failed(outcome.reason, eventId);
        break;
      case "uncertain":
      case "released":
        break;
    }
  }

  #answered(): void {
    this.#isAccountRefused = false;
    this.#failures = 0;
    this.#failedEvents.clear();
    if (this.#state !== "closed") this.#stepUp();
  }

  #refused(outcome: Extract<Outcome, { kind: "permanent" }>): void {
    const { suppressAddress, domain, reason } = outcome;
    // Without a domain no server said it: the mail was too old, or its address could not be used.
    if (domain === undefined) return;
    if (suppressAddress) {
      this.#refusedDomains.clear();
      this.#answered();
      return;
    }
    this.#refusedDomains.add(domain);
    // It opened because the account is refused: one more refusal is no sign of life.
    if (this.#isAccountRefused) {
      this.#open(`account_refused: ${reason}`);
      return;
    }
    if (this.#refusedDomains.size < TRIP_AFTER) {
      this.#answered();
      return;
    }
    this.#isAccountRefused = true;
    this.#open(`account_refused: ${reason}`);
  }

  #failed(reason: string, eventId: string): void {
    this.#failures += 1;
    this.#failedEvents.add(eventId);
    const isTripped = this.#failures >= TRIP_AFTER && this.#failedEvents.size >= TRIP_EVENTS;
    if (this.#state !== "closed" || isTripped) this.#open(reason);
  }

  #open(reason: string): void {
    const { now, random, onChange } = this.#options;
    this.#probeAt = now() + PROBE_MIN_MS + random() * PROBE_SPREAD_MS;
    this.#refusedDomains.clear();
    if (this.#state === "open") return;
    this.#state = "open";
    onChange("open", reason);
  }

  /** Doubles what is let through each time that all of it went well. */
  #stepUp(): void {
    const { concurrency, onChange } = this.#options;
    if (this.#state === "open") {
      this.#state = "recovering";
      this.#allowed = 1;
      this.#successes = 0;
      onChange("recovering", "a probe was answered");
    }
    this.#successes += 1;
    if (this.#successes < this.#allowed) return;
    this.#successes = 0;
    this.#allowed *= 2;
    if (this.#allowed < concurrency) return;
    this.#state = "closed";
    onChange("closed", "the mail system works");
  }
}
