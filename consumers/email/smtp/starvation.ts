import { pause } from "../../../runtime/loop.ts";
import type { SmtpFailure } from "./failure.ts";
import { type MailSession, SessionRefused } from "./session.ts";

/** The time in which others have all the connections that the server grants. */
export interface Starvation {
  readonly isOn: boolean;
  /** For how long it has lasted, in ms; undefined: it is over. */
  readonly forMs: number | undefined;
  /** Asks for a connection, without a mail, until there is one, or the server is away, which the next mail finds out. */
  begin(): void;
  /** Somebody has given one up for it: asks for it. */
  answered(): void;
  /** What it was granted has taken a mail: until then it asks on as before, once it is refused. */
  works(): void;
  /** There may be room, since others have more connections than before, or fewer: asks soon, unless it asked a while ago in vain. */
  mayHaveRoom(): void;
  end(): void;
}

const FIRST_ASK_MS = 125;
const LONGEST_ASK_MS = 60_000;
/** Waits double for so long, then grow by shares of the time. */
const DOUBLING_MS = 8_000;
const LATER_STEP = 0.4;
/** In case that a limit changes quickly, so long as if nothing was known. */
const OFTEN_MS = 1_000;
/** Until then, each time after so many times as long: it need not take as long again. */
const RARELY = 4;
/** Of how long it took last time. */
const NEARLY = 0.9;
const STEP = 0.1;
const JITTER = 0.1;

/**
 * When to ask again, in ms since nobody has granted any: ever more rarely, since a server that grants so many connections a minute may
 * count those that it refuses, and grants none again to whoever goes on asking. Where it took `lastMs` until one was granted, it is likely to
 * take as long. 125 ms, 250 ms, 500 ms ... 8 s, 11 s, 16 s, 22 s ... 150 s, 210 s, 270 s; after 50 s: 125 ms ... 1 s, 4 s, 16 s, 45 s, 50 s, 55 s, 65 s.
 */
export const askAgainAtMs = (askedAtMs: number, lastMs: number | undefined, random: () => number): number => {
  const jitter = 1 + JITTER * (2 * random() - 1);
  const again = (waitMs: number) => askedAtMs + jitter * Math.min(LONGEST_ASK_MS, waitMs);
  if (lastMs === undefined || askedAtMs < OFTEN_MS) {
    return again(askedAtMs < DOUBLING_MS ? Math.max(FIRST_ASK_MS, askedAtMs) : LATER_STEP * askedAtMs);
  }
  const sinceNearlyMs = askedAtMs - NEARLY * lastMs;
  if (sinceNearlyMs >= 0) return again(Math.max(STEP * lastMs, sinceNearlyMs));
  return again(Math.min(-sinceNearlyMs, (RARELY - 1) * askedAtMs));
};

/** One that was given up is closed a moment later, and a server may count it for a while: asks after 25 ms, 50 ms ... 1.6 s. */
const GIVEN_UP_MS = 25;
const COUNTED_MS = 1_500;
/** Where there may be room, asks after this share of the time until the next question. */
const ROOM_SHARE = 1 / 8;

/** What was opened, and turned away at its first mail within this time, was no grant. */
const SAME_MS = 10_000;

/** A question that has had no answer for so long is asked anew where there may be room: the server may never answer it. */
const SILENT_MS = 3_000;

/** Asks once; undefined: refused as one too many. `isRequest`: then others are asked to give one up. */
type Ask = (isRequest: boolean, signal: AbortSignal) => Promise<MailSession | "away" | undefined>;

/** When it is asked, and the wait for it. Times are monotonic, ms. */
class Asking {
  readonly #end = new AbortController();
  #wait = new AbortController();
  readonly #lastMs: number | undefined;
  readonly #random: () => number;
  readonly #startedAt: number;
  #askedAt = performance.now();
  /** Ends the question that is not answered yet. */
  #question: AbortController | undefined;
  /** The next question, and the one that comes with time: others are beside it. */
  #at: number;
  #timedAt: number;
  #isHastened = false;
  /** After how long it was refused last. */
  #refusedMs = 0;
  #owedMs = Number.POSITIVE_INFINITY;

  /** `startedAt`: when nothing was granted first. */
  constructor(lastMs: number | undefined, random: () => number, startedAt: number) {
    this.#lastMs = lastMs;
    this.#random = random;
    this.#startedAt = startedAt;
    this.#timedAt = this.#again();
    this.#at = this.#timedAt;
  }

  get startedAt(): number {
    return this.#startedAt;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** How long it took, if none was given up for it. */
  get tookMs(): number | undefined {
    if (this.#isHastened) return undefined;
    const tookMs = this.#askedAt - this.#startedAt;
    // Where nothing was asked for most of it, it may have been granted long before.
    return Math.min(LONGEST_ASK_MS, this.#refusedMs >= tookMs / 2 ? tookMs : tookMs / 2);
  }

  async until(ask: Ask): Promise<MailSession | undefined> {
    for (;;) {
      for (let ms = this.#leftMs; ms > 0 && !this.signal.aborted; ms = this.#leftMs) {
        this.#wait = new AbortController();
        await pause(ms, this.#wait.signal);
      }
      if (this.signal.aborted) return undefined;
      this.#askedAt = performance.now();
      // Once what it is owed is not free by now, a third one has it.
      const question = new AbortController();
      this.#question = question;
      const session = await ask(!this.#isOwed, AbortSignal.any([this.signal, question.signal]));
      this.#question = undefined;
      if (session !== undefined) return session === "away" ? undefined : session;
      this.#refusedMs = this.#askedAt - this.#startedAt;
      if (!this.#isHastened) this.#timedAt = this.#again();
      this.#isHastened = false;
      this.#at = this.#timedAt;
      if (question.signal.aborted) this.#hasten(GIVEN_UP_MS);
      this.#askOwed();
    }
  }

  answered(): void {
    this.#owedMs = GIVEN_UP_MS;
    this.#giveUpSilent();
    this.#askOwed();
  }

  hasRoom(): void {
    const soonestAt = this.#askedAt + (this.#isOwed ? 0 : ROOM_SHARE * (this.#at - this.#askedAt));
    this.#giveUpSilent();
    this.#hasten(Math.max(GIVEN_UP_MS, soonestAt - performance.now()));
  }

  end(): void {
    this.#end.abort();
    this.#wait.abort();
  }

  /** Somebody has given one up for it, and it is free by now, or will be in a moment. */
  get #isOwed(): boolean {
    return this.#owedMs <= 2 * COUNTED_MS;
  }

  #giveUpSilent(): void {
    if (performance.now() - this.#askedAt >= SILENT_MS) this.#question?.abort();
  }

  #askOwed(): void {
    if (!this.#isOwed) return;
    this.#hasten(this.#owedMs);
    this.#owedMs *= 2;
  }

  #hasten(afterMs: number): void {
    if (afterMs >= this.#leftMs) return;
    this.#at = performance.now() + afterMs;
    this.#isHastened = true;
    this.#wait.abort();
  }

  #again(): number {
    return this.#startedAt + askAgainAtMs(this.#askedAt - this.#startedAt, this.#lastMs, this.#random);
  }

  get #leftMs(): number {
    return this.#at - performance.now();
  }
}

export const createStarvation = (options: {
  readonly open: (signal: AbortSignal) => Promise<MailSession>;
  readonly onOpened: (session: MailSession) => void;
  /** Else the server is away. */
  readonly isOneTooMany: (failure: SmtpFailure) => boolean;
  /** `isRequest`: others are to give one up for it. Not while somebody has, and it may not be free yet. */
  readonly onRefused: (failure: SmtpFailure, isRequest: boolean) => void;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
}): Starvation => {
  let asking: Asking | undefined;
  /** It had a connection, over which no mail was taken yet. */
  let unproven: { readonly own: Asking; readonly at: number } | undefined;
  let lastMs: number | undefined;

  const ask = async (own: Asking): Promise<void> => {
    const session = await own.until(async (isRequest, signal) => {
      try {
        return await options.open(signal);
      } catch (error) {
        if (!(error instanceof SessionRefused) || !options.isOneTooMany(error.failure)) return "away";
        options.onRefused(error.failure, isRequest);
        return undefined;
      }
    });
    asking = undefined;
    unproven = session && { own, at: options.now() };
    if (session !== undefined) options.onOpened(session);
  };

  return {
    get isOn() {
      return asking !== undefined;
    },
    get forMs() {
      return asking === undefined ? undefined : options.now() - asking.startedAt;
    },
    begin() {
      if (asking !== undefined) return;
      const now = options.now();
      const isSame = unproven !== undefined && now - unproven.at < SAME_MS;
      asking = new Asking(lastMs, options.random, isSame ? (unproven?.own.startedAt ?? now) : now);
      unproven = undefined;
      void ask(asking);
    },
    works: () => {
      if (unproven !== undefined) lastMs = unproven.own.tookMs;
      unproven = undefined;
    },
    answered: () => asking?.answered(),
    mayHaveRoom: () => asking?.hasRoom(),
    end: () => asking?.end(),
  };
};
