import { domainOf } from "../../../runtime/dkim-keys.ts";
import { isAboutConnections, isTooFast } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";

/** Whose limit a server speaks of that has heard the recipient. */
export interface WhoseLimit {
  accepted(to: string): void;
  /** The failure, with whether what it says of a limit is said of the recipient's domain. */
  judged(failure: SmtpFailure, to: string): SmtpFailure;
}

/** How long it is remembered which domains took how many mails, at least; twice as long at the most. */
const SERVED_MS = 5 * 60_000;
/** Domains of which that is known; the mails for others count all the same. */
const MAX_SERVED = 1_000;
/** It is our limit if domains hear of it within this time that took so many of these mails. */
const OURS_FROM = 0.1;
const TOGETHER_MS = 30_000;

const partyOf = (to: string): string => domainOf(to).toLowerCase();

/** Mails that were taken in some minutes, by domain, and in all. */
class Served {
  readonly #ofDomain = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  of(domain: string): number {
    return this.#ofDomain.get(domain) ?? 0;
  }

  add(domain: string): void {
    this.#all += 1;
    const count = this.#ofDomain.get(domain);
    if (count !== undefined || this.#ofDomain.size < MAX_SERVED) this.#ofDomain.set(domain, (count ?? 0) + 1);
  }
}

/**
 * A server may pass on what a recipient's own server says (`host mx.example said: rate limit exceeded`), so who owns a domain chooses these words, and anybody
 * can sign its recipients up. They tell of a limit on us if domains hear them that take a tenth of our mails otherwise: a limit of the server's refuses mails for all
 * alike, and who wants to feign one must be a tenth of all recipients. Up to MAIL FROM the server has not heard of the recipient, and speaks for itself.
 */
export const createWhoseLimit = ({ now }: { /** Monotonic, ms. */ readonly now: () => number }): WhoseLimit => {
  let [served, before] = [new Served(), new Served()];
  let servedSince = now();
  /** When a domain that is served heard of a limit last. */
  const told = new Map<string, number>();

  const turn = (): void => {
    const forMs = now() - servedSince;
    if (forMs < SERVED_MS) return;
    before = forMs < 2 * SERVED_MS ? served : new Served();
    served = new Served();
    servedSince = now();
  };

  const isOurs = (domain: string): boolean => {
    turn();
    const mailsOf = (each: string): number => served.of(each) + before.of(each);
    if (mailsOf(domain) > 0) told.set(domain, now());
    let mails = 0;
    for (const [each, at] of told) {
      if (now() - at > TOGETHER_MS) told.delete(each);
      else mails += mailsOf(each);
    }
    return mails > 0 && mails >= OURS_FROM * (served.all + before.all);
  };

  return {
    accepted: (to) => {
      turn();
      served.add(partyOf(to));
    },
    judged: (failure, to) => {
      const { command, bodyStarted } = failure;
      const hasHeardRecipient = bodyStarted || command === "RCPT TO" || command === "DATA";
      if (!hasHeardRecipient || !(isTooFast(failure) || isAboutConnections(failure))) return failure;
      return isOurs(partyOf(to)) ? failure : { ...failure, isOfDomain: true };
    },
  };
};
