import { jitteredMs } from "../../runtime/backoff.ts";
import { forgetOldest } from "../../runtime/forget-oldest.ts";

export interface PartiesOptions {
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Called when a party begins to wait, and when it does not wait any more. `reason`: that of the last refusal. */
  readonly onChange: (party: string, isWaiting: boolean, reason: string) => void;
  /** Parties that are remembered, the last used ones; 1,000 if not given. */
  readonly most?: number;
}

/** Pieces that a party refuses in a row, permanently: then it refuses everything. */
const REFUSALS = 5;
/** More of a party that accepted a part lately: as many as it would refuse in a row once in so many times. */
const BY_CHANCE = 0.005;
const MOST_REFUSALS = 60;
/** Share of the newest piece in how many are accepted. */
const NEWEST = 0.05;
/** Pieces that probe a party together: one may be refused for its own sake. */
const PROBES = 3;
/** Pieces that a party defers in a row: deferring is often about one recipient, so more of them are needed. */
const DEFERRALS = 100;
/** Different pieces that a party defers in a row: then it is not about each of them, and may not be for so long after. */
const DEFERRED_IN_A_ROW = 5;
const DEFERS_LATELY_MS = 600_000;
/** Wait before the first probe of a party; doubles with each that fails. */
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;
const MOST_PARTIES = 1_000;

/** How many that are refused in a row are no chance, where such a share is accepted. */
const inARow = (acceptedShare: number): number =>
  Math.max(REFUSALS, Math.min(MOST_REFUSALS, Math.ceil(Math.log(BY_CHANCE) / Math.log1p(-acceptedShare))));

interface Party {
  /** Events refused since the last success, as many as it takes. */
  readonly refused: Set<string>;
  /** Deferred since the last success. */
  deferred: number;
  /** Events deferred since the last success, as many as it takes. */
  readonly deferredEvents: Set<string>;
  /** Monotonic, ms: when it deferred everything last. */
  deferredAllAt: number;
  /** 0: it does not wait. */
  waitMs: number;
  /** Monotonic, ms: when the next piece is its probe. */
  probeAt: number;
  /** A probe is under way. What was in flight before it says nothing new. */
  isProbed: boolean;
  /** Pieces that may still probe it with the first one. */
  probesLeft: number;
  /** Of its last pieces so many were accepted; and how many refused ones in a row make a party of which that was true at its last success refuse everything. */
  acceptedShare: number;
  refusals: number;
  /** Of its last refusal or deferral. */
  words: string | undefined;
}

/**
 * A small breaker for each party. A party that refuses or defers many pieces in a row waits
 * by itself, three probes at a time, and its waiting pieces use up neither an attempt nor a connection; nobody else waits for it.
 */
export class Parties {
  readonly #options: PartiesOptions;
  /** In the order of their last use. */
  readonly #known = new Map<string, Party>();

  constructor(options: PartiesOptions) {
    this.#options = options;
  }

  /** 0: the piece may be attempted, perhaps as the party's probe. Else how long it waits, in ms. */
  waitMs(name: string): number {
    const party = this.#known.get(name);
    if (party === undefined || party.waitMs === 0) return 0;
    const { now, random } = this.#options;
    const leftMs = party.probeAt - now();
    if (leftMs <= 0) {
      // If the probe has no outcome, the next one comes after as long a wait.
      party.probeAt = now() + party.waitMs;
      party.isProbed = true;
      party.probesLeft = PROBES - 1;
      return 0;
    }
    if (party.isProbed && party.probesLeft > 0) {
      party.probesLeft -= 1;
      return 0;
    }
    // Spread: not all of them are due with the probe.
    return Math.ceil(leftMs + random() * party.waitMs);
  }

  succeeded(name: string): void {
    const party = this.#use(name);
    if (party.waitMs > 0) this.#options.onChange(name, false, "it accepts again");
    party.acceptedShare += NEWEST * (1 - party.acceptedShare);
    party.refusals = inARow(party.acceptedShare);
    party.refused.clear();
    party.deferred = 0;
    party.deferredEvents.clear();
    party.waitMs = 0;
    party.isProbed = false;
    party.words = undefined;
  }

  /** `words`: those of the other system, addresses removed. */
  deferred(name: string, reason: string, words?: string): void {
    const party = this.#use(name);
    party.words = words;
    party.deferred += 1;
    if (party.deferred >= DEFERRALS || party.waitMs > 0) this.#wait(name, party, reason);
  }

  /** Whether the party defers everything, with this piece, or did so lately, as one that takes so many a minute does for a part of each. */
  defersLately(name: string, eventId: string): boolean {
    const party = this.#use(name);
    const { now } = this.#options;
    if (party.deferredEvents.size < DEFERRED_IN_A_ROW) party.deferredEvents.add(eventId);
    if (party.deferredEvents.size >= DEFERRED_IN_A_ROW) party.deferredAllAt = now();
    return now() - party.deferredAllAt < DEFERS_LATELY_MS;
  }

  refused(name: string, eventId: string, reason: string, words?: string): void {
    const party = this.#use(name);
    party.words = words;
    party.acceptedShare -= NEWEST * party.acceptedShare;
    if (party.refused.size < party.refusals) party.refused.add(eventId);
    if (party.refused.size >= party.refusals || party.waitMs > 0) this.#wait(name, party, reason);
  }

  /** Whether the party refuses everything. */
  refuses(name: string): boolean {
    const party = this.#known.get(name);
    return party !== undefined && party.refused.size >= party.refusals;
  }

  /** How many of them wait. */
  waiting(): number {
    return [...this.#known.values()].filter(({ waitMs }) => waitMs > 0).length;
  }

  /** The last words of a party that waits: of the one that refused or deferred last. */
  waitingWords(): string | undefined {
    return [...this.#known.values()].findLast(({ waitMs }) => waitMs > 0)?.words;
  }

  #wait(name: string, party: Party, reason: string): void {
    const { now, random, onChange } = this.#options;
    if (party.waitMs > 0 && !party.isProbed) return;
    if (party.waitMs === 0) onChange(name, true, reason);
    party.isProbed = false;
    party.waitMs = Math.min(LONGEST_WAIT_MS, Math.max(FIRST_WAIT_MS, party.waitMs * 2));
    party.probeAt = now() + jitteredMs(party.waitMs, random);
  }

  #use(name: string): Party {
    const party = this.#known.get(name) ?? {
      refused: new Set<string>(),
      deferred: 0,
      deferredEvents: new Set<string>(),
      deferredAllAt: Number.NEGATIVE_INFINITY,
      waitMs: 0,
      probeAt: 0,
      isProbed: false,
      probesLeft: 0,
      acceptedShare: 1,
      refusals: REFUSALS,
      words: undefined,
    };
    this.#known.delete(name);
    this.#known.set(name, party);
    forgetOldest(this.#known, this.#options.most ?? MOST_PARTIES);
    return party;
  }
}
