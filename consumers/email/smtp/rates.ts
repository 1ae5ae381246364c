import type { SmtpFailure } from "./failure.ts";
import { FirstMails, type FirstMailsOptions } from "./first-mails.ts";
import { hasHeardRecipient, limitIn, limitOf, turnsAway } from "./limit-words.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { Pace } from "./pace.ts";
import { RecipientRate } from "./recipient-rate.ts";
import { SlowRate, type SlowRateOptions } from "./slow-rate.ts";
import { mayBeOfRate, UnnamedRate } from "./unnamed-rate.ts";
import { createWhoseLimit } from "./whose-limit.ts";

/** A mail that had a connection. */
interface Sent {
  readonly mail: OutgoingMail;
  /** Monotonic, ms. */
  readonly startedAt: number;
  /** Of its connection. */
  readonly nth: number;
  /** The server took a mail over this connection before. */
  readonly isProven: boolean;
}

/** What a failure is taken for. */
interface Judged {
  readonly failure: SmtpFailure;
  /** So a server may turn away a connection too many. */
  readonly isTurnedAway: boolean;
  /** It may be: another connection tells. */
  readonly isUnclear?: boolean;
}

/** How many mails a server takes in a time, whatever words it has for that, and for whom they are meant. */
export interface Rates {
  readonly pace: Pick<Pace, "perSecond" | "waitMs" | "took">;
  /** Whether it is one consumer's. */
  readonly slow: Pick<SlowRate, "standsBack" | "wish" | "heard">;
  /** Whether connections that took no mail yet may be none of those that the server grants. */
  readonly areFirstsInDoubt: () => boolean;
  /** Whether it depends on what others have what that refusal of a first mail means. */
  readonly dependsOnOthers: (failure: SmtpFailure) => boolean;
  accepted(sent: Sent): void;
  judged(failure: SmtpFailure, sent: Sent): Judged;
}

/** A server that refuses mails of a connection that it grants has no limit of connections alone, for so long. */
const PROVEN_REFUSED_MS = 60_000;

export const createRates = ({
  now,
  othersHave,
  proven,
  ...deps
}: Omit<SlowRateOptions, "pace"> & FirstMailsOptions): Rates => {
  const pace = new Pace({ now });
  const firstMails = new FirstMails({ now, othersHave, proven });
  const slow = new SlowRate({ ...deps, now, pace });
  const unnamedRate = new UnnamedRate({ now });
  const whoseLimit = createWhoseLimit({ now });
  const recipientRate = new RecipientRate({ now, whose: whoseLimit, onNone: () => pace.forget() });
  let provenRefusedAt = Number.NEGATIVE_INFINITY;

  /** A rate refuses mails of all connections alike, a limit of connections only the first ones. A 421 closes the connection, so most are first ones. */
  const isOneTooMany = (failure: SmtpFailure, { nth, isProven }: Sent): boolean => {
    if (!mayBeOfRate(failure) || unnamedRate.isKept) return false;
    if (failure.responseCode === 421) return nth === 1;
    if (isProven) provenRefusedAt = now();
    return turnsAway(failure) && !isProven && now() - provenRefusedAt > PROVEN_REFUSED_MS;
  };

  /** It was granted by a rate, if there is one: accepted, or refused for its recipient. */
  const granted = ({ startedAt, nth }: Sent): void => {
    pace.accepted(startedAt);
    slow.accepted();
    unnamedRate.accepted(startedAt, nth);
  };

  /** With the limit that the server does not name. */
  const withUnnamed = (given: SmtpFailure, { mail, startedAt, nth }: Sent): SmtpFailure => {
    const isKnown = pace.perSecond !== undefined;
    const failure = recipientRate.judged(given, mail, startedAt, isKnown);
    if (!mayBeOfRate(failure)) return failure;
    const why = unnamedRate.refused(startedAt, nth, isKnown);
    if (why === "no rate") pace.forget();
    return why === "rate" || why === "used up" ? { ...failure, unnamed: why } : failure;
  };

  return {
    pace,
    slow,
    areFirstsInDoubt: () => firstMails.isInDoubt,
    dependsOnOthers: (failure) => firstMails.dependsOnOthers(failure),
    accepted(sent) {
      firstMails.accepted(sent.isProven);
      granted(sent);
      whoseLimit.accepted(sent.mail.to);
      recipientRate.accepted(sent.mail, sent.startedAt);
    },
    judged(heard, sent) {
      const first = firstMails.refused(heard, sent.isProven);
      if (first === "one too many") return { failure: { ...heard, unnamed: "connections" }, isTurnedAway: true };
      if (first === "look again") return { failure: heard, isTurnedAway: false, isUnclear: true };
      // A connection over which no mail was taken is not used up: it is one too many.
      const isUnused = !sent.isProven && heard.command === "MAIL FROM" && limitIn(heard) === "used up";
      const given: SmtpFailure = isUnused ? { ...heard, unnamed: "connections" } : heard;
      const isTurnedAway = isOneTooMany(given, sent);
      const failure = isTurnedAway ? given : withUnnamed(whoseLimit.judged(given, sent.mail.to), sent);
      const said = limitOf(failure);
      if (said === "rate" && failure.isOfDomain !== true) {
        pace.tooFast(sent.startedAt);
        slow.refused();
      }
      const isOfNoLimit = said === undefined && failure.secondLookMs === undefined;
      if (isOfNoLimit && failure.responseCode !== undefined && hasHeardRecipient(failure)) granted(sent);
      return { failure, isTurnedAway };
    },
  };
};
