import { classify } from "../consumers/email/classify.ts";
import type { SmtpFailure } from "../consumers/email/smtp/failure.ts";
import { limitIn } from "../consumers/email/smtp/limit-words.ts";
import { Pace } from "../consumers/email/smtp/pace.ts";
import { Breaker } from "../consumers/engine/breaker.ts";
import { decide, type RetryPolicy } from "../consumers/engine/decide.ts";
import { DEFAULT_RETRY_MAX } from "../consumers/engine/factory.ts";
import type { Outcome } from "../consumers/engine/handler.ts";
import { learnFrom } from "../consumers/engine/learn.ts";
import { Parties } from "../consumers/engine/parties.ts";
import { backoffMs } from "../runtime/backoff.ts";

/** What a mail server says, and when (ms); undefined: it accepts. `421 ...` at the greeting has no recipient. */
export interface Provider {
  readonly atGreeting?: (now: number) => string | undefined;
  readonly atRecipient: (address: string, now: number) => string | undefined;
}

export interface Hours {
  readonly hours: number;
  /** Signups a minute. */
  readonly perMinute: number;
  /** The address of the nth signup. */
  readonly addressOf: (n: number) => string;
  /** Anew for each run. */
  readonly provider: () => Provider;
}

interface Mail {
  readonly eventId: string;
  readonly address: string;
  readonly domain: string;
  readonly bornAt: number;
  attempts: number;
  systemFailures: number;
  unreached: number;
  lastReason: string | null;
  settledAt: number;
}

/** What became of the mails of some hours. */
export interface Result {
  readonly mails: number;
  readonly sent: number;
  readonly dead: number;
  /** Mails of which no attempt was used up but the one that sent them. */
  readonly atFirst: number;
  readonly mostAttempts: number;
  /** Times that a mail was asked for. */
  readonly asked: number;
  /** From the signup to the mail, in ms: median, 99 %, and the most. */
  readonly lateMs: readonly [number, number, number];
}

const CONNECTIONS = 20;
const MAIL_MS = 100;
const RETRY_DELAY_MS = 30_000;
const GREYLIST_MS = 300_000;
const EXPIRE_AFTER_MS = 72 * 3_600_000;
const HOLD_MS = 120 * RETRY_DELAY_MS;
const HOLD_CAP_MS = 12 * 3_600_000;
const POLICY: RetryPolicy = {
  retryMax: DEFAULT_RETRY_MAX,
  retryDelayMs: RETRY_DELAY_MS,
  uncertain: "resend",
  isIdempotent: false,
};
/** Until a piece that may not be a probe is looked at again. */
const NO_PROBE_MS = 5_000;
/** What is released is read again. */
const RELEASED_MS = 50;

const failureOf = (reply: string, command: "CONN" | "RCPT TO"): SmtpFailure => ({
  code: command === "CONN" ? "EPROTOCOL" : "EENVELOPE",
  command,
  reply,
  responseCode: Number(reply.slice(0, 3)),
  cause: undefined,
  bodyStarted: false,
});

/** Happens in the order of its time. */
class Agenda {
  readonly #heap: { readonly at: number; readonly order: number; readonly act: () => void }[] = [];
  #order = 0;

  add(at: number, act: () => void): void {
    this.#order += 1;
    const heap = this.#heap;
    let index = heap.push({ at, order: this.#order, act }) - 1;
    for (let parent = (index - 1) >> 1; index > 0 && this.#isBefore(index, parent); parent = (index - 1) >> 1) {
      this.#swap(index, parent);
      index = parent;
    }
  }

  next(): { readonly at: number; readonly act: () => void } | undefined {
    const heap = this.#heap;
    if (heap.length === 0) return undefined;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    for (let index = 0; ; ) {
      const child = [2 * index + 1, 2 * index + 2].filter((each) => each < heap.length);
      const least = child.toSorted((one, other) => (this.#isBefore(one, other) ? -1 : 1))[0];
      if (least === undefined || this.#isBefore(index, least)) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [left, right] = [this.#heap[one], this.#heap[other]];
    if (left === undefined || right === undefined) return false;
    return left.at === right.at ? left.order < right.order : left.at < right.at;
  }

  #swap(one: number, other: number): void {
    const [left, right] = [this.#heap[one], this.#heap[other]];
    if (left === undefined || right === undefined) return;
    [this.#heap[one], this.#heap[other]] = [right, left];
  }
}

/** Numbers between 0 and 1, the same in each run. */
const seeded = (): (() => number) => {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/**
 * Hours of a mail server's weather in virtual time, with real retry delays. What is real are the policies: how replies are classified, the
 * breaker, the parties, the pace, what is learned, and how outcomes are settled. One consumer; stores and connections are simulated.
 */
export const runHours = ({ hours, perMinute, addressOf, provider }: Hours): Result => {
  const { atGreeting = () => undefined, atRecipient } = provider();
  const agenda = new Agenda();
  const random = seeded();
  let nowMs = 0;
  const clock = { now: () => nowMs, random };
  const pace = new Pace(clock);
  const breaker = new Breaker({ concurrency: CONNECTIONS, ...clock, onChange: () => {} });
  const parties = new Parties({ ...clock, onChange: () => {} });
  const fresh: Mail[] = [];
  const again: Mail[] = [];
  const done: { readonly mail: Mail; readonly at: number }[] = [];
  const dead: Mail[] = [];
  let inFlight = 0;
  let asked = 0;
  let turn = 0;
  let isWaiting = false;

  const later = (mail: Mail, delayMs: number): void =>
    agenda.add(nowMs + delayMs, () => {
      again.push(mail);
      begin();
    });

  const settle = (mail: Mail, outcome: Outcome): void => {
    const { ledger, move } = decide(outcome, { ...mail, uncertain: 0 }, POLICY, random);
    mail.attempts += ledger.attempts;
    mail.systemFailures += ledger.system_failures;
    mail.unreached = move.kind === "delay" && move.isUnreached === true ? mail.unreached + 1 : 0;
    mail.lastReason = ledger.reason;
    mail.settledAt = nowMs;
    if (ledger.state === "done") done.push({ mail, at: nowMs });
    else if (ledger.state === "dead") dead.push(mail);
    else if (move.kind === "delay") later(mail, move.delayMs);
    else if (move.kind === "release") later(mail, RELEASED_MS);
    // Held: it comes back by itself.
    else later(mail, ledger.delay_ms ?? Number.POSITIVE_INFINITY);
  };

  const attempt = (mail: Mail): void => {
    const { eventId, address, domain: party } = mail;
    const waitMs = breaker.mayProbe({ eventId, party }) ? parties.waitMs(party) : NO_PROBE_MS;
    if (waitMs > 0) {
      later(mail, waitMs);
      return;
    }
    if (nowMs - mail.bornAt > EXPIRE_AFTER_MS) {
      dead.push(mail);
      return;
    }
    inFlight += 1;
    asked += 1;
    pace.took();
    const [startedAt, { acceptedSince }, isProbe] = [nowMs, breaker, breaker.state !== "closed"];
    const greeting = atGreeting(nowMs);
    const reply = greeting ?? atRecipient(address, nowMs);
    agenda.add(nowMs + (reply === undefined ? MAIL_MS : 5), () => {
      inFlight -= 1;
      const failure = reply === undefined ? undefined : failureOf(reply, greeting === undefined ? "RCPT TO" : "CONN");
      if (failure === undefined) pace.accepted(clock.now());
      else if (limitIn(failure) === "rate") pace.tooFast(clock.now());
      const options = { greylistMs: GREYLIST_MS, recipient: address, domain: party };
      const outcome: Outcome = failure === undefined ? { kind: "done" } : classify(failure, options);
      const claim = { ...mail, unchangedMs: nowMs - mail.settledAt };
      const attempted = { eventId, party, claim, startedAt, askedAt: startedAt, acceptedSince, isProbe };
      const holdMs = (attempts: number) => backoffMs(attempts + 1, HOLD_MS, HOLD_CAP_MS, random);
      settle(mail, learnFrom(outcome, attempted, { breaker, parties, holdMs }));
      begin();
    });
  };

  /** Begins what may begin: half of it new, while there is both. */
  const begin = (): void => {
    while (fresh.length + again.length > 0 && inFlight < Math.min(CONNECTIONS, breaker.allowance())) {
      if (pace.waitMs > 0) break;
      turn += 1;
      const mail = (turn % 2 === 0 ? again.shift() : undefined) ?? fresh.shift() ?? again.shift();
      if (mail !== undefined) attempt(mail);
    }
    if (isWaiting || fresh.length + again.length === 0) return;
    isWaiting = true;
    agenda.add(nowMs + 100, () => {
      isWaiting = false;
      begin();
    });
  };

  const mails = Math.floor(hours * 60 * perMinute);
  for (let n = 0; n < mails; n += 1) {
    const address = addressOf(n);
    const bornAt = (n * 60_000) / perMinute;
    const domain = address.slice(address.indexOf("@") + 1);
    const mail: Mail = {
      ...{ eventId: `event ${n}`, address, domain, bornAt },
      ...{ attempts: 0, systemFailures: 0, unreached: 0, lastReason: null, settledAt: bornAt },
    };
    agenda.add(bornAt, () => {
      fresh.push(mail);
      begin();
    });
  }
  for (let next = agenda.next(); next !== undefined && done.length + dead.length < mails; next = agenda.next()) {
    nowMs = next.at;
    next.act();
  }
  const late = done.map(({ mail, at }) => at - mail.bornAt).toSorted((one, other) => one - other);
  const quantile = (share: number): number => late[Math.floor(share * (late.length - 1))] ?? 0;
  const all = [...done.map(({ mail }) => mail), ...dead];
  return {
    mails,
    sent: done.length,
    dead: dead.length,
    atFirst: done.filter(({ mail }) => mail.attempts === 1).length,
    mostAttempts: Math.max(...all.map(({ attempts }) => attempts)),
    asked,
    lateMs: [quantile(0.5), quantile(0.99), quantile(1)],
  };
};
