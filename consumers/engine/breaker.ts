import { jitteredMs } from "../../runtime/backoff.ts";
import type { Outcome } from "./handler.ts";

/**
 * closed: all is well. open: the system behind the work is down, nothing is read but one probe every few seconds.
 * recovering: a probe got through, and more is let through with each success.
 */
export type BreakerState = "closed" | "open" | "recovering";

export interface BreakerOptions {
  /** Entries that may be in flight when all is well. */
  readonly concurrency: number;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Called once per change. `reason` is what the last failure said. */
  readonly onChange: (state: BreakerState, reason: string) => void;
}

/** Failures in a row, with no success between, that open it. */
const TRIP_AFTER = 5;
/** Of them, at least so many different events: one bad piece must not stop everybody. */
const TRIP_EVENTS = 2;
/** A probe every 2 to 4 s: work flows again within seconds, and consumers do not probe in step. */
const PROBE_EVERY_MS = 4_000;

/**
 * Keeps a system that is down from costing anything: the breaker opens after five failures of the system in a row, over at
 * least two events, with no success between; and after refusals by five parties in a row, for then it is we who are refused.
 * An open breaker uses up no attempts: entries are released unharmed, one real piece of work at a time probes, and after a
 * success more is let through step by step.
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

  /** Whether it is open because everybody refuses what we send. */
  get areWeRefused(): boolean {
    return this.#state === "open" && this.#areWeRefused;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How many entries may be in flight now. */
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

  /** Learns from an attempt. Only what a working or failing system said counts; being released says nothing. */
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
      // A working system said so of this piece alone.
      this.#refusingParties.clear();
      this.#answered();
      return;
    }
    this.#refusingParties.add(party);
    // It opened because we are refused: one more refusal is no sign of life.
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
    onChange("closed", "the system works again");
  }
}
