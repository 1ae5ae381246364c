import type { Crowding, Times } from "./crowding.ts";
import { Lately } from "./lately.ts";

export interface Clock {
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** A rise of the limit is noticed within this share of the time for which the limit stood; within these times at least and at most. */
const PROBE_SHARE = 0.1;
const FIRST_PROBE_MS = 100;
const LONGEST_PROBE_MS = 10_000;

/**
 * Until one more connection is asked for, in ms: a limit that has just changed may change again, one that stood for long does
 * so rarely. 1 s -> 100 ms, 10 s -> 1 s, 100 s -> 10 s.
 */
export const probeAfterMs = (stoodForMs: number): number =>
  Math.min(LONGEST_PROBE_MS, Math.max(FIRST_PROBE_MS, PROBE_SHARE * stoodForMs));

/** Nobody knows how many the server grants: at first so few are asked for, and twice as many each time that they are granted. */
export const FIRST_GRANTED = 4;

/** Until more are asked for although those asked for last are not all open: some may not be needed any more. */
const GROW_EVERY_MS = 250;
/** After a refusal, no other connection is opened for this time, which doubles: the server may still count those that are closing. */
const FIRST_REOPEN_MS = 50;
const LONGEST_REOPEN_MS = 100;
/**
 * After so many probes in vain, in so long, the next one is later: where each connection takes one mail, consumers that take them from
 * each other would ask as often as they send.
 */
const OFTEN = 4;
const OFTEN_MS = 2_000;
const LATER_MS = 1_500;
/** So few mails a connection are that. */
const FEW_MAILS = 2;
const NEWEST = 0.02;
const NONE = { byUs: 0, byServer: 0 };
/** One that was given up for others is not asked for again for this time, and for longer if they had not taken the one before. */
const GIVEN_UP_MS = 1_500;
const GIVEN_UP_AGAIN_MS = 3_000;
/** After failures that have nothing to do with a limit, none is opened for this time: those that are open do the work. */
const REST_MS = 1_000;

/**
 * How many connections the server grants. One that is refused while others work shows the limit: it is how many others there
 * are. From there it is probed with one connection more; while that is granted, with twice as many at once. What was granted outlives
 * an outage and a reconnect.
 */
export class ConnectionLimit {
  readonly #size: number;
  readonly #now: () => number;
  readonly #crowding: Crowding | undefined;
  #granted: number;
  /** Granted at the last success. */
  #proven: number;
  /** Granted before the connections that are being asked for; undefined: none are. */
  #before: number | undefined;
  #changedAt: number;
  #isKnown = false;
  #probeAt = 0;
  #step: number;
  #reopenAt = 0;
  #reopenMs = FIRST_REOPEN_MS;
  readonly #probesInVain = new Lately(OFTEN_MS);
  /** Mails accepted from one connection opened to the next, lately, and since the last one. */
  #mailsEach = 2 * FEW_MAILS;
  #mails = 0;

  /** `first`: how many are asked for at first. `crowding`: how many of those that are granted serve best. */
  constructor(
    size: number,
    { now, first = size, crowding }: Clock & { readonly first?: number; readonly crowding?: Crowding },
  ) {
    this.#size = size;
    this.#now = now;
    this.#crowding = crowding;
    this.#granted = Math.min(size, first);
    this.#proven = this.#granted;
    this.#step = this.#granted;
    this.#changedAt = now();
  }

  /** Those that are to be used. */
  get granted(): number {
    return this.#crowding?.of(this.#granted) ?? this.#granted;
  }

  /** Whether the server has shown a limit, or is served best by fewer: else it was not asked for more yet. */
  get isKnown(): boolean {
    return this.#isKnown || this.#crowding?.isCrowded === true;
  }

  /** Ms until more may be granted; undefined: all are, or are not wanted. */
  get growAfterMs(): number | undefined {
    return this.#granted < this.#size && this.granted === this.#granted ? this.#probeAt - this.#now() : undefined;
  }

  /** Ms until a connection may be opened. */
  get openAfterMs(): number {
    return this.#reopenAt - this.#now();
  }

  /**
   * A connection was refused beside `others`, while others have just been closed. False: there are no others, so this is no limit.
   */
  refused(others: number, closing: { readonly byUs: number; readonly byServer: number } = NONE): boolean {
    const now = this.#now();
    this.#reopenAt = Math.max(this.#reopenAt, now + this.#reopenMs);
    this.#reopenMs = Math.min(LONGEST_REOPEN_MS, this.#reopenMs * 2);
    if (others === 0 && closing.byUs + closing.byServer === 0) {
      this.#granted = this.#proven;
      return false;
    }
    this.#isKnown = true;
    const shown = Math.max(1, others + closing.byUs);
    // With those that the server may still count, there are as many as it grants: this says nothing new.
    if (closing.byUs > 0 && shown >= this.#granted) return true;
    if (this.#before !== undefined) this.#probesInVain.add(now);
    const isOften = this.#probesInVain.count >= OFTEN && this.#mailsEach < FEW_MAILS;
    const before = this.#before ?? this.#granted;
    this.#granted = Math.min(this.#granted, shown);
    this.#changed(before);
    this.#before = undefined;
    this.#step = 1;
    this.#probeAt = now + Math.max(isOften ? LATER_MS : 0, probeAfterMs(now - this.#changedAt));
    return true;
  }

  /** Others cannot be opened now, for another reason than a limit, beside those that are open. */
  rest(): void {
    this.#reopenAt = this.#now() + REST_MS;
  }

  /** The server works, and has no connection for us: others have all that it grants. From here it grows again. */
  starved(): void {
    this.#isKnown = true;
    this.#granted = 1;
    this.#proven = 1;
    this.#before = 0;
    this.#step = 1;
  }

  /** One was given up for others, beside `left`; `wasTaken`: they have taken the one before. */
  gaveUp(left: number, wasTaken = true): void {
    const now = this.#now();
    this.#isKnown = true;
    this.#granted = Math.max(1, left);
    this.#before = undefined;
    this.#step = 1;
    const forMs = wasTaken ? GIVEN_UP_MS : GIVEN_UP_AGAIN_MS;
    this.#probeAt = now + forMs;
    if (left === 0) this.#reopenAt = now + forMs;
  }

  /** Others have given one up for it. */
  answered(): void {
    this.#probeAt = Math.min(this.#probeAt, this.#now());
  }

  /** A connection is granted: it takes a mail; `count` are open. */
  opened(count: number): void {
    this.#reopenMs = FIRST_REOPEN_MS;
    this.#mailsEach += NEWEST * (this.#mails - this.#mailsEach);
    this.#mails = 0;
    if (this.#before === undefined || count < this.#granted) return;
    if (count >= this.#size) this.#isKnown = false;
    this.#changed(this.#before);
    this.#before = undefined;
    this.#probeAt = 0;
  }

  /** A mail begins that is one of so many which have a connection: if that is all of them, returns what is to be told when it is accepted. */
  began(sending: number): Times | undefined {
    return this.#crowding?.began(sending, this.#granted);
  }

  /** A mail was accepted, after so long. */
  accepted(times?: Times, tookMs = 0): void {
    if (times !== undefined) this.#crowding?.accepted(times, tookMs);
    this.#proven = this.#granted;
    this.#mails += 1;
  }

  /** All connections that are granted are busy, and mails wait: grants more if it is time. */
  grow(): void {
    const now = this.#now();
    if (this.#granted >= this.#size || this.granted < this.#granted || now < this.#probeAt) return;
    this.#before = this.#granted;
    this.#granted = Math.min(this.#size, this.#granted + this.#step);
    this.#probeAt = now + GROW_EVERY_MS;
    this.#step *= 2;
  }

  /** It was another limit before: the less the limits have in common, the less what was known of it counts. */
  #changed(before: number): void {
    const now = this.#now();
    const common = Math.min(before, this.#granted) / Math.max(before, this.#granted);
    this.#changedAt = now - (now - this.#changedAt) * common ** 2;
  }
}
