import type { Clock } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";
import { hasHeardRecipient } from "./limit-words.ts";

/** What a refusal of a connection's first mail is taken for. */
export type FirstRefusal = "one too many" | "look again" | "unknown";

/** For so long after a connection that works was refused a mail, such refusals are the recipients' own; and for so long the last one of a first mail counts. */
const LATELY_MS = 60_000;
/** So many are refused, and it is so unlikely that they met first mails by chance. */
const LEAST = 3;
const BY_CHANCE = 0.01;
/** Where it is more likely no other connection is asked. */
const MAYBE = 0.3;
/** As if no more mails had been seen, so that what was long ago counts little. */
const MOST = 200;
const CODES = new Set([421, 450, 451, 452]);

/** Once the server has heard the recipient, and before the body. */
const mayBeOfFirst = (failure: SmtpFailure): boolean =>
  !failure.bodyStarted && hasHeardRecipient(failure) && CODES.has(failure.responseCode ?? 0);

export interface FirstMailsOptions extends Clock {
  /** Connections of others that work, as far as they say. */
  readonly othersHave: () => number;
  /** Connections of this pool over which a body was begun. */
  readonly proven: () => number;
}

/**
 * Some servers grant each connection, and turn away those beyond their limit where they hear the recipient. Who is refused for its own sake, is
 * greylisted, or meets a rate, is so over any connection. So it is a limit if refusals meet first mails alone, while connections over which a mail was taken
 * are refused none; or, until more is known, if others have such connections, or this pool has.
 */
export class FirstMails {
  readonly #now: () => number;
  readonly #othersHave: () => number;
  readonly #proven: () => number;
  #provenRefusedAt = Number.NEGATIVE_INFINITY;
  #firstRefusedAt = Number.NEGATIVE_INFINITY;
  #firsts = { accepted: 0, refused: 0 };
  #later = 0;
  #acceptedAt = Number.NEGATIVE_INFINITY;

  constructor({ now, othersHave, proven }: FirstMailsOptions) {
    this.#now = now;
    this.#othersHave = othersHave;
    this.#proven = proven;
  }

  /** Whether connections that took no mail yet may be none of those that the server grants. */
  get isInDoubt(): boolean {
    return this.#now() - this.#firstRefusedAt < LATELY_MS;
  }

  accepted(isProven: boolean): void {
    this.#acceptedAt = this.#now();
    if (isProven) this.#later = Math.min(MOST, this.#later + 1);
    else this.#firsts.accepted = Math.min(MOST, this.#firsts.accepted + 1);
  }

  /** Whether nothing tells what that refusal means but what others have. */
  dependsOnOthers(failure: SmtpFailure): boolean {
    if (!mayBeOfFirst(failure) || this.#now() - this.#provenRefusedAt < LATELY_MS) return false;
    return this.#laterOf(this.#now()) === 0 && this.#proven() === 0;
  }

  refused(failure: SmtpFailure, isProven: boolean): FirstRefusal {
    if (!mayBeOfFirst(failure)) return "unknown";
    const now = this.#now();
    if (isProven) {
      this.#provenRefusedAt = now;
      this.#firsts = { accepted: 0, refused: 0 };
      this.#later = 0;
    } else this.#firstRefusedAt = now;
    if (now - this.#provenRefusedAt < LATELY_MS) return "unknown";
    if (this.#laterOf(now) === 0) {
      if (this.#othersHave() > 0) return "one too many";
      return this.#proven() > 0 ? "look again" : "unknown";
    }
    const { accepted, refused } = this.#firsts;
    this.#firsts.refused = Math.min(MOST, refused + 1);
    const firsts = accepted + this.#firsts.refused;
    const chance = (firsts / (firsts + this.#later)) ** this.#firsts.refused;
    if (chance > MAYBE) return "unknown";
    return this.#firsts.refused >= LEAST && chance < BY_CHANCE ? "one too many" : "look again";
  }

  #laterOf(now: number): number {
    if (now - this.#acceptedAt > LATELY_MS) this.#later = 0;
    return this.#later;
  }
}
