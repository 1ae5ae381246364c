import type { Clock } from "./capacity.ts";
import { isForMail, type SmtpFailure } from "./failure.ts";
import { Lately } from "./lately.ts";
import { limitIn } from "./limit-words.ts";

/** So often mails were accepted between those that were refused, within this time: then it is a rate. */
const TURNS = 3;
const TURNS_MS = 60_000;
/** Without one that is accepted for so long, and among so many, it is an outage. */
const OUTAGE_MS = 60_000;
const OUTAGE_REFUSED = 20;

/**
 * A reply that names no limit, and may mean one: a refusal for now at MAIL FROM, where the server has not heard of the recipient, or by policy (4.7.x) after
 * the body. At RCPT that is greylisting.
 */
export const mayBeOfRate = (failure: SmtpFailure): boolean => {
  const { responseCode = 0, reply = "", command, bodyStarted } = failure;
  if (responseCode < 400 || responseCode >= 500 || !isForMail(failure) || limitIn(failure) !== undefined) return false;
  if (bodyStarted || command === "DATA") return /^\d{3}[ -]#?4\.7\./.test(reply);
  return command === "MAIL FROM";
};

/**
 * Whether mails that are refused for now are so by a rate of which the server says nothing: some are accepted in between, time and again. Where all are
 * refused it is an outage, which the breaker sees to: a pace that follows it would be slow for long after.
 */
export class UnnamedRate {
  readonly #now: () => number;
  readonly #turns = new Lately(TURNS_MS);
  /** The first that was refused since the last turn. */
  #refusedAt: number | undefined;
  #acceptedAt = Number.NEGATIVE_INFINITY;
  #isNext = false;
  #inARow = 0;

  constructor({ now }: Clock) {
    this.#now = now;
  }

  /** A mail was accepted that began at this time. What began before mails were refused is no turn. */
  accepted(begunAt: number): void {
    this.#acceptedAt = this.#now();
    this.#inARow = 0;
    if (this.#refusedAt !== undefined && begunAt >= this.#refusedAt) this.#isNext = true;
  }

  /** A mail was refused in words that name no limit: why. `isKnown`: there is a rate that the server grants. */
  refused(isKnown: boolean): "rate" | "outage" | "unknown" {
    const now = this.#now();
    this.#refusedAt ??= now;
    this.#inARow += 1;
    if (this.#isNext) {
      this.#turns.add(now);
      this.#refusedAt = now;
      this.#isNext = false;
    }
    if (this.#inARow >= OUTAGE_REFUSED && now - this.#acceptedAt > OUTAGE_MS) return "outage";
    this.#turns.forget(now);
    return isKnown || this.#turns.count >= TURNS ? "rate" : "unknown";
  }
}
