import type { Clock } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";
import { enhancedCode, hasHeardRecipient, limitIn, withoutAddresses } from "./limit-words.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { UnnamedRate } from "./unnamed-rate.ts";
import type { WhoseLimit } from "./whose-limit.ts";

/** Codes by which servers refuse for now what comes too fast, and also what is greylisted. */
const FOR_NOW = new Set([421, 450, 451, 452]);
/** x.1.x is about an address, x.2.x about a mailbox. */
const OF_RECIPIENT = /^4\.[12]\./;
const OF_GREYLISTING = /gr[ae]y-?list/i;

/** So often a mail is looked at again soon, before it is known why it was refused. */
const SOON_TIMES = 3;
/** Once there are twice as many as will tell, others wait for so long: then it is known. */
const ENOUGH = 2;
const LATER_MS = 5_000;
/** Refused so often, a mail is so for its own sake, whatever is true of others. */
const OWN_TIMES = 6;
/** Mails whose second look is awaited, and for how long. */
const MOST_MAILS = 2_000;
const LOOK_MS = 60_000;
/** Second looks that were accepted: then it is not about these mails. */
const PROOF = 2;
/** And if some were not: who asks each mail to come again soon accepts nearly all. The logarithm of how much likelier it is that they are accepted as often as others. */
const NEARLY_ALL = 0.98;
const NOT_ALL = 2;
/** So many would have been if it were a rate: then it is about these mails if next to none was, for so long. Several that come at once find a rate used up together. */
const EXPECTED = 5;
const FEW = 0.05;
const LEAST_MS = 2_000;
/** Then none is looked for for so long. */
const DEAF_MS = 60_000;
/** What was heard longer ago says nothing. */
const EVIDENCE_MS = 60_000;
/** Where no first look was accepted for so long, among so many, each mail is asked to come again. */
const GREYLISTED_MS = 30_000;
const GREYLISTED = 5;
/** Share of the newest look in how many are accepted. */
const NEWEST = 0.05;

/** What is said of a limit at RCPT or later counts as the domain's, or there is no word of one: it may be a rate of the server's all the same. */
const mayBeOfRate = (failure: SmtpFailure): boolean => {
  if (!hasHeardRecipient(failure)) return false;
  const said = limitIn(failure);
  if (said !== undefined) return said === "rate" && failure.isOfDomain === true;
  const { responseCode = 0, reply = "" } = failure;
  if (!FOR_NOW.has(responseCode)) return false;
  return !OF_RECIPIENT.test(enhancedCode(reply) ?? "") && !OF_GREYLISTING.test(withoutAddresses(reply));
};

type Mail = Pick<OutgoingMail, "to" | "failures">;

/** A mail that was refused. */
interface Refused {
  readonly at: number;
  readonly times: number;
}

/**
 * Whether mails that are refused once the server has heard the recipient are so by a rate, as policy daemons keep one. Greylisting and recipients who
 * are refused for their own sake look alike, so mails have a second look a second or two later. A rate accepts those as often as others; greylisting, and whoever refuses a
 * mail for its own sake, accepts none of them, or all. Then the pace follows, as long as it has fewer refused (`unnamed-rate.ts`).
 */
export class RecipientRate {
  readonly #now: () => number;
  readonly #whose: Pick<WhoseLimit, "mayBeOurs">;
  readonly #onNone: () => void;
  readonly #rate: UnnamedRate;
  readonly #refused = new Map<string, Refused>();
  #looks = { since: 0, expected: 0, accepted: 0, notAll: 0 };
  /** Of all looks so many are accepted. */
  #share = 1;
  #first = { acceptedAt: 0, refused: 0 };

  /** `onNone`: the rate that was followed is none. */
  constructor({
    now,
    whose,
    onNone,
  }: Clock & { readonly whose: Pick<WhoseLimit, "mayBeOurs">; readonly onNone: () => void }) {
    this.#now = now;
    this.#whose = whose;
    this.#onNone = onNone;
    this.#rate = new UnnamedRate({ now, isByTurns: false });
  }

  /** A mail was accepted that began at this time. */
  accepted(mail: Mail, begunAt: number): void {
    this.#rate.accepted(begunAt, 1);
    if (this.#refused.delete(mail.to)) this.#looked(true);
    else this.#lookedOtherwise(mail, true);
  }

  /** The failure of a mail that began at this time, with what it is taken for. `isKnown`: there is a rate that the server grants. */
  judged(failure: SmtpFailure, mail: Mail, begunAt: number, isKnown: boolean): SmtpFailure {
    if (!mayBeOfRate(failure) || this.#rate.isDeaf) return failure;
    if (!this.#whose.mayBeOurs(mail.to, this.#rate.isKept)) return failure;
    const { isKept } = this.#rate;
    const { times, isAwaited } = this.#lookedInVain(mail);
    if (times > OWN_TIMES || (!isKept && this.#areOwn())) return failure;
    const isProven = this.#looks.accepted >= PROOF && this.#looks.notAll > NOT_ALL;
    const why = this.#rate.refused(begunAt, 1, isKept ? isKnown : isProven);
    if (why === "no rate") this.#onNone();
    if (why === "rate") return { ...failure, isOfDomain: false, unnamed: "rate" };
    return why === "unknown" && times <= SOON_TIMES ? { ...failure, secondLookMs: isAwaited ? 0 : LATER_MS } : failure;
  }

  /** Whether each first look is refused, or each second one: then no rate is looked for for a while. */
  #areOwn(): boolean {
    const { acceptedAt, refused } = this.#first;
    if (refused >= GREYLISTED && this.#now() - acceptedAt > GREYLISTED_MS) return true;
    const { since, expected, accepted } = this.#looks;
    if (this.#now() - since < LEAST_MS || expected < EXPECTED || accepted >= FEW * expected) return false;
    this.#rate.deafen(DEAF_MS);
    this.#looks = { since: this.#now(), expected: 0, accepted: 0, notAll: 0 };
    this.#refused.clear();
    return true;
  }

  /** How often the mail was refused, with this time, and whether its next look is awaited, as one that tells why. */
  #lookedInVain(mail: Mail): { readonly times: number; readonly isAwaited: boolean } {
    const now = this.#now();
    const { to, failures = 0 } = mail;
    const before = this.#refused.get(to);
    this.#refused.delete(to);
    for (const [each, { at }] of this.#refused) {
      if (now - at < LOOK_MS) break;
      this.#refused.delete(each);
    }
    if (before !== undefined) this.#looked(false);
    else this.#lookedOtherwise(mail, false);
    const times = (before?.times ?? failures) + 1;
    const isEnough = !this.#rate.isKept && this.#refused.size * this.#share > ENOUGH * EXPECTED;
    const isAwaited = !isEnough && this.#refused.size < MOST_MAILS;
    if (isAwaited) this.#refused.set(to, { at: now, times });
    return { times, isAwaited };
  }

  #looked(isAccepted: boolean): void {
    const now = this.#now();
    if (now - this.#looks.since > EVIDENCE_MS) this.#looks = { since: now, expected: 0, accepted: 0, notAll: 0 };
    this.#looks.expected += this.#share;
    if (isAccepted) this.#looks.accepted += 1;
    const share = Math.min(this.#share, NEARLY_ALL);
    this.#looks.notAll += Math.log(isAccepted ? share / NEARLY_ALL : (1 - share) / (1 - NEARLY_ALL));
    this.#learnShare(isAccepted);
  }

  #learnShare(isAccepted: boolean): void {
    this.#share += NEWEST * ((isAccepted ? 1 : 0) - this.#share);
  }

  /** It was no second look. */
  #lookedOtherwise({ failures = 0 }: Mail, isAccepted: boolean): void {
    this.#learnShare(isAccepted);
    if (failures > 0) return;
    if (isAccepted) this.#first = { acceptedAt: this.#now(), refused: 0 };
    else this.#first.refused += 1;
  }
}
