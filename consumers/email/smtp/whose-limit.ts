import { isAboutConnections, isTooFast } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";

/** Whose limit a server speaks of that has heard the recipient. */
export interface WhoseLimit {
  accepted(to: string): void;
  /** The failure, with whether what it says of a limit is said of the recipient's domain. */
  judged(failure: SmtpFailure, to: string): SmtpFailure;
}

/** A domain is served that has taken a mail within this time; so many of them are remembered. */
const SERVED_MS = 10 * 60_000;
const MAX_SERVED = 1_000;
/** It is our limit if so many domains that are served hear of it within this time, or all that there are. */
const OURS_FROM = 3;
const TOGETHER_MS = 10_000;

const domainOf = (to: string): string => to.slice(to.lastIndexOf("@") + 1).toLowerCase();

/** In the order in which they were set last: forgets what is older, and the oldest beyond `most`. */
const note = (times: Map<string, number>, domain: string, now: number, keptMs: number, most: number): void => {
  times.delete(domain);
  times.set(domain, now);
  for (const [each, at] of times) {
    if (times.size <= most && now - at <= keptMs) break;
    times.delete(each);
  }
};

/**
 * A server may pass on what a recipient's own server says (`host mx.example said: rate limit exceeded`), so who owns a domain chooses these words, and anybody
 * can sign its recipients up. They tell of a limit on us if domains that take our mails otherwise hear them as well: then it is not about one of them. Up to MAIL FROM
 * the server has not heard of the recipient, and speaks for itself.
 */
export const createWhoseLimit = ({ now }: { /** Monotonic, ms. */ readonly now: () => number }): WhoseLimit => {
  const served = new Map<string, number>();
  const told = new Map<string, number>();

  const isOurs = (domain: string): boolean => {
    const at = now();
    if (at - (served.get(domain) ?? Number.NEGATIVE_INFINITY) <= SERVED_MS) {
      note(told, domain, at, TOGETHER_MS, MAX_SERVED);
    }
    const lately = [...told.values()].filter((each) => at - each <= TOGETHER_MS).length;
    return lately > 0 && lately >= Math.min(OURS_FROM, served.size);
  };

  return {
    accepted: (to) => note(served, domainOf(to), now(), SERVED_MS, MAX_SERVED),
    judged: (failure, to) => {
      const { command, bodyStarted } = failure;
      const hasHeardRecipient = bodyStarted || command === "RCPT TO" || command === "DATA";
      if (!hasHeardRecipient || !(isTooFast(failure) || isAboutConnections(failure))) return failure;
      return isOurs(domainOf(to)) ? failure : { ...failure, isOfDomain: true };
    },
  };
};
