import { isCertificateFault, type SmtpFailure } from "./failure.ts";
import { Lately } from "./lately.ts";

const enhancedOf = (reply: string): string => /^\d{3}[ -]#?([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1] ?? "";

/** How servers say that there are too many connections: Postfix, Exim, Office 365, Dovecot, SES, smtp-server. */
const WORDS_OF_CONNECTIONS =
  /\btoo many (\w+ ){0,3}(connections|sessions|clients)\b|\b(connections?|sessions?|clients?) (\w+ ){0,2}(limit|exceeded)|\bconcurrent (\w+ )?(connections|sessions)\b|\bmaximum (\w+ ){0,3}connections\b|\bthread limit\b/i;

/** How servers say it: SES, Gmail, Outlook, Postfix's anvil, Exim. The codes alone also mean greylisting, or a fault of the server. */
const WORDS_OF_RATE =
  /\btoo (fast|quickly|many (messages|mails|emails))\b|\b(send(ing)?|message|mail) rate\b|\brate[- ]?limit|throttl|\bslow down\b|\bunusual rate\b/i;
const MAY_BE_RATE = new Set([421, 450, 451, 454]);

/** How servers say that this connection has had enough mails, while another one may be opened: Exim. */
const WORDS_OF_USE = /\b(mails|messages|recipients|transactions) (\w+ ){0,2}(connection|session)\b/i;

/** The connection has had as many mails or recipients as the server allows; another one has room. */
export const isUsedUp = ({ responseCode = 0, reply = "", command }: SmtpFailure): boolean =>
  (responseCode === 452 && enhancedOf(reply) === "4.5.3") ||
  (responseCode >= 400 && responseCode < 500 && command !== "RCPT TO" && WORDS_OF_USE.test(reply));

/**
 * Said of the recipient, when the sender was welcome: whoever owns a domain writes it ("host mx.example said: too many connections"), and
 * relays that look for the mailbox pass it on. As long as the connection works, it has room.
 */
const isAboutRecipient = ({ command }: SmtpFailure): boolean => command === "RCPT TO";

/** The server has no room for the connection, whatever the mail. 432 is Office 365's "sender thread limit exceeded". */
export const isAboutConnections = (failure: SmtpFailure): boolean => {
  const { responseCode = 0, reply = "" } = failure;
  if (isUsedUp(failure) || isAboutRecipient(failure)) return false;
  return responseCode === 432 || (responseCode >= 400 && WORDS_OF_CONNECTIONS.test(reply));
};

/** The server wants fewer mails a second. x.2.x is about one mailbox: "the user is receiving mail too quickly". */
export const isTooFast = (failure: SmtpFailure): boolean => {
  const { responseCode = 0, reply = "" } = failure;
  if (isUsedUp(failure)) return false;
  const enhanced = enhancedOf(reply);
  if (enhanced === "4.7.28") return true;
  return MAY_BE_RATE.has(responseCode) && !enhanced.startsWith("4.2.") && WORDS_OF_RATE.test(reply);
};

const MAY_BE_LIMIT = new Set([421, 432, 450, 451, 452, 454, 554]);
/** Failures to connect that have nothing to do with how many connections there are. */
const OTHER_FAULTS = new Set(["EDNS", "EAUTH", "ECALLEDBACK"]);

/** A connection was refused as a server refuses one too many: by a reply, also to STARTTLS, by silence, or by closing it. */
export const mayBeOneTooMany = (failure: SmtpFailure): boolean => {
  if (isAboutConnections(failure)) return true;
  if (OTHER_FAULTS.has(failure.code) || isCertificateFault(failure)) return false;
  if (failure.responseCode !== undefined) return MAY_BE_LIMIT.has(failure.responseCode);
  return failure.code !== "EDEADLINE" || failure.cause === "GREETING_TIMEOUT";
};

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
/** One that was given up for others is not asked for again for this time. */
const GIVEN_UP_MS = 1_500;
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

  /** `first`: how many are asked for at first. */
  constructor(size: number, { now, first = size }: Clock & { readonly first?: number }) {
    this.#size = size;
    this.#now = now;
    this.#granted = Math.min(size, first);
    this.#proven = this.#granted;
    this.#step = this.#granted;
    this.#changedAt = now();
  }

  get granted(): number {
    return this.#granted;
  }

  /** Whether the server has shown a limit: else it was not asked for more yet. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Ms until more may be granted; undefined: all are. */
  get growAfterMs(): number | undefined {
    return this.#granted < this.#size ? this.#probeAt - this.#now() : undefined;
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

  /** One was given up for others, beside `left`. */
  gaveUp(left: number): void {
    const now = this.#now();
    this.#isKnown = true;
    this.#granted = Math.max(1, left);
    this.#before = undefined;
    this.#step = 1;
    this.#probeAt = now + GIVEN_UP_MS;
    if (left === 0) this.#reopenAt = now + GIVEN_UP_MS;
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

  /** A mail was accepted. */
  accepted(): void {
    this.#proven = this.#granted;
    this.#mails += 1;
  }

  /** All connections that are granted are busy, and mails wait: grants more if it is time. */
  grow(): void {
    const now = this.#now();
    if (this.#granted >= this.#size || now < this.#probeAt) return;
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
