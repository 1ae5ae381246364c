import { jitteredMs } from "../../runtime/backoff.ts";
import type { Outcome } from "./handler.ts";

/**
 * closed: normal. open: the other system fails; one probe every 2 to 4 s. recovering: a probe succeeded; the allowance
 * doubles with each round of successes.
 */
export type BreakerState = "closed" | "open" | "recovering";

export interface BreakerOptions {
  /** Maximum entries in flight when it is closed. */
  readonly concurrency: number;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Called at each change. `reason`: that of the last failure. */
  readonly onChange: (state: BreakerState, reason: string) => void;
}

/** Consecutive failures that open it. */
const TRIP_AFTER = 5;
/** Different events among them, at least: one bad event must not stop all others. */
const TRIP_EVENTS = 2;
/** A probe every 2 to 4 s, with jitter, so that consumers do not probe at the same time. */
const PROBE_EVERY_MS = 4_000;

/**
 * Stops work while the other system fails. It opens after five consecutive failures of the system over at least two events,
 * and after consecutive refusals by five parties: then the refusal is not theirs, our account is refused. While it is open
 * no attempts are used up: entries are released, and one entry at a time probes.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = "closed";
  #failures = 0;
  #failedEvents = new Set<string>();
  #refusingParties = new Set<string>();
  #areWeRefused = false;
  #probeAt = 0;
  #allowed = 1;
  #successes = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** Whether it is open because five parties refused in a row. */
  get areWeRefused(): boolean {
    return this.#state === "open" && this.#areWeRefused;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Maximum entries in flight now. */
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

  /** Records an outcome. `uncertain` and `released` do not count. */
  record(outcome: Outcome, eventId: string): void {
    switch (outcome.kind) {
      case "done":
      case "transient":
        this.#refusingParties.clear();
        this.#answered();
        break;
      case "rejected":
        this.#refused(outcome);
        break;
      case "unavailable":
        this.#failed(outcome.reason, eventId);
        break;
      case "uncertain":
      case "released":
        break;
    }
  }

  #answered(): void {
    this.#areWeRefused = false;
    this.#failures = 0;
    this.#failedEvents.clear();
    if (this.#state !== "closed") this.#stepUp();
  }

  #refused({ party, reason, reply }: Extract<Outcome, { kind: "rejected" }>): void {
    if (party === undefined) {
      if (reply === undefined) return;
      // A working system refused this piece alone.
      this.#refusingParties.clear();
      this.#answered();
      return;
    }
    this.#refusingParties.add(party);
    // It opened by refusals: one more does not close it.
    if (this.#areWeRefused) {
      this.#open(`account_refused: ${reason}`);
      return;
    }
    if (this.#refusingParties.size < TRIP_AFTER) {
      this.#answered();
      return;
    }
    this.#areWeRefused = true;
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
    this.#probeAt = now() + jitteredMs(PROBE_EVERY_MS, random);
    this.#refusingParties.clear();
    if (this.#state === "open") return;
    this.#state = "open";
    onChange("open", reason);
  }

  /** Doubles the allowance after as many successes. */
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
    onChange("closed", "the system works again");
  }
}
