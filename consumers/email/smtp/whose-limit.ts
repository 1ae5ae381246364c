import { domainOf } from "../../../runtime/dkim-keys.ts";
import type { SmtpFailure } from "./failure.ts";
import { hasHeardRecipient, limitIn, limitOf } from "./limit-words.ts";

/** Whose limit a server speaks of that has heard the recipient. */
export interface WhoseLimit {
  accepted(to: string): void;
  /** The failure, with whether what it says of a limit is said of the recipient's domain. */
  judged(failure: SmtpFailure, to: string): SmtpFailure;
  /** Whether a recipient may be refused because of us, by all that is known of domains. `isKept`: a rate of ours is kept, so few are refused. */
  mayBeOurs(to: string, isKept: boolean): boolean;
}

/** How long it is remembered which domains took how many mails, at least; twice as long at the most. */
const SERVED_MS = 5 * 60_000;
/** Domains of which that is known; the mails for others count all the same. */
const MAX_SERVED = 1_000;
/** It is our limit if domains hear of it within this time that took so many of these mails. */
const OURS_FROM = 0.1;
const TOGETHER_MS = 30_000;
/** It is theirs if a limit on all alike would have met these domains alone, and no other, so rarely. */
const BY_CHANCE = 0.01;

/** A quota is ours if so many domains hear of it, one after the other, that took so many of the mails, and none takes one in between. */
const DOMAINS_OF_QUOTA = 3;
const QUOTA_FROM = 0.5;
/** Of the domains that are remembered so. */
const MAX_WITHOUT_QUOTA = 100;

/** Whether it speaks of a limit, ours or the recipient's, that another connection does not mend. */
export const isAboutLimits = (failure: SmtpFailure): boolean => {
  const said = limitOf(failure);
  return said !== undefined && said !== "used up";
};

const partyOf = (to: string): string => domainOf(to).toLowerCase();

/** Mails that were taken in some minutes, by domain, and in all. */
class Served {
  readonly #ofDomain = new Map<string, number>();
  #all = 0;
  #firsts = 0;

  get firsts(): number {
    return this.#firsts;
  }

  get all(): number {
    return this.#all;
  }

  of(domain: string): number {
    return this.#ofDomain.get(domain) ?? 0;
  }

  /** A mail was taken; `isFirst`: the first of its domain. */
  add(domain: string, isFirst: boolean): void {
    this.#all += 1;
    if (isFirst) this.#firsts += 1;
    const count = this.#ofDomain.get(domain);
    if (count !== undefined || this.#ofDomain.size < MAX_SERVED) this.#ofDomain.set(domain, (count ?? 0) + 1);
  }
}

/**
 * What became of mails since the last domain that heard of a limit was the first time told so. A limit of ours would soon meet another one: that it
 * did not, time and again, while others took mails in between, becomes ever less likely.
 */
class Among {
  #refused = 0;
  #accepted = 0;
  #othersAccepted = 0;
  /** Refusals with a mail for others in between: several at once are one. */
  #times = 0;
  #isNext = false;

  accepted(isTold: boolean): void {
    if (isTold) this.#accepted += 1;
    else {
      this.#othersAccepted += 1;
      this.#isNext = true;
    }
  }

  refused(): void {
    this.#refused += 1;
    if (this.#isNext) this.#times += 1;
    this.#isNext = false;
  }

  /** How likely it is that all of this met these domains by chance. */
  get chance(): number {
    const ofThese = this.#refused + this.#accepted;
    return (ofThese / Math.max(1, ofThese + this.#othersAccepted)) ** this.#times;
  }
}

/** Who hears of a limit, and what becomes of others meanwhile. */
class Told {
  readonly #now: () => number;
  readonly #shareOf: (parties: Iterable<string>) => number;
  /** When a party that is served heard of a limit last. */
  readonly #at = new Map<string, number>();
  #among = new Among();

  constructor(now: () => number, shareOf: (parties: Iterable<string>) => number) {
    this.#now = now;
    this.#shareOf = shareOf;
  }

  accepted(party: string): void {
    this.#among.accepted(this.#at.has(party));
  }

  refused(party: string): void {
    const now = this.#now();
    for (const [each, at] of this.#at) if (now - at > TOGETHER_MS) this.#at.delete(each);
    if (this.#shareOf([party]) === 0) return;
    if (!this.#at.has(party)) this.#among = new Among();
    this.#at.set(party, now);
    this.#among.refused();
  }

  /** A limit on all alike would have met others, too. */
  get isTheirs(): boolean {
    return this.#among.chance < BY_CHANCE;
  }

  /** They take enough of the mails. */
  get areMany(): boolean {
    return this.#shareOf(this.#at.keys()) >= OURS_FROM;
  }
}

/** Domains that took no mail yet, as one party. */
const NEW = "";

/**
 * A server may pass on what a recipient's own server says (`host mx.example said: rate limit exceeded`), so who owns a domain chooses these words, and anybody
 * can sign its recipients up. They tell of a limit on us if domains hear them that take a tenth of our mails otherwise, and others, in the meantime, are not accepted each
 * time: a limit of the server's refuses mails for all alike. A quota of a day soon leaves nobody who is served, so it is ours once three domains have heard of
 * it in a row that took half of the mails, until one is accepted. Up to MAIL FROM the server has not heard of the recipient, and speaks for itself.
 */
export const createWhoseLimit = ({ now }: { /** Monotonic, ms. */ readonly now: () => number }): WhoseLimit => {
  let [served, before] = [new Served(), new Served()];
  let servedSince = now();
  /** Domains that heard of a quota since a mail was accepted. */
  const withoutQuota = new Set<string>();
  /** It is asked for so rarely that nobody is served any more, so it is ours until a mail is accepted. */
  let isQuotaOurs = false;

  const turn = (): void => {
    const forMs = now() - servedSince;
    if (forMs < SERVED_MS) return;
    before = forMs < 2 * SERVED_MS ? served : new Served();
    served = new Served();
    servedSince = now();
  };

  /** The share of all mails that these domains took. */
  const shareOf = (domains: Iterable<string>): number => {
    turn();
    let mails = 0;
    for (const each of domains) {
      mails += each === NEW ? served.firsts + before.firsts : served.of(each) + before.of(each);
    }
    return mails / Math.max(1, served.all + before.all);
  };

  const isQuota = (domain: string): boolean => {
    if (withoutQuota.size < MAX_WITHOUT_QUOTA) withoutQuota.add(domain);
    isQuotaOurs ||= withoutQuota.size >= DOMAINS_OF_QUOTA && shareOf(withoutQuota) >= QUOTA_FROM;
    return isQuotaOurs;
  };

  /** By words of a limit; and by any refusal that may be one, where those who are new count as a domain. */
  const [named, unnamed] = [new Told(now, shareOf), new Told(now, shareOf)];

  const isOurs = (domain: string): boolean => {
    named.refused(domain);
    return named.areMany && !named.isTheirs;
  };

  const isKnown = (domain: string): boolean => served.of(domain) + before.of(domain) > 0;

  return {
    accepted: (to) => {
      turn();
      const domain = partyOf(to);
      withoutQuota.clear();
      isQuotaOurs = false;
      const isFirst = !isKnown(domain);
      served.add(domain, isFirst);
      named.accepted(domain);
      unnamed.accepted(isFirst ? NEW : domain);
    },
    mayBeOurs: (to, isKept) => {
      turn();
      const domain = partyOf(to);
      unnamed.refused(isKnown(domain) ? domain : NEW);
      return (isKept || unnamed.areMany) && !unnamed.isTheirs;
    },
    judged: (failure, to) => {
      if (!hasHeardRecipient(failure) || !isAboutLimits(failure)) return failure;
      const domain = partyOf(to);
      const isOfUs = limitIn(failure) === "quota" ? isQuota(domain) : isOurs(domain);
      return isOfUs ? failure : { ...failure, isOfDomain: true };
    },
  };
};
