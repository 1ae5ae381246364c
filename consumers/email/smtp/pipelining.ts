/** One envelope: whether its commands go out together, and what became of it. */
export interface EnvelopeTurn {
  readonly isTogether: boolean;
  /** Whether commands behind MAIL were answered; undefined: nobody knows. */
  readonly ended: (wasAnswered: boolean | undefined) => void;
}

type State = "together" | "works" | "suspected" | "checked" | "one by one";

/** For so long commands go out one by one, in ms. */
const KEPT_MS = 3_600_000;

/**
 * Whether the commands of an envelope go out together, where PIPELINING is offered (RFC 2920). Some firewalls and proxies let the offer pass, and
 * drop what comes behind MAIL in one segment.
 *
 * | state      | commands                   | it ends when                                                                          |
 * | ---------- | -------------------------- | ------------------------------------------------------------------------------------- |
 * | together   | together                   | one is answered: works; one hung or was closed: suspected                              |
 * | suspected  | one by one                 | one is answered: checked; one hung, too: together, since the server is slow or away    |
 * | checked    | together for one mail      | it is answered: works; it hung or was closed: one by one                               |
 * | one by one | one by one                 | an hour is over: checked                                                               |
 * | works      | together, whatever happens |                                                                                        |
 */
export class Pipelining {
  readonly #now: () => number;
  readonly #onOneByOne: () => void;
  #state: State = "together";
  #isChecking = false;
  #until = 0;

  /** `now`: monotonic, ms; `onOneByOne`: it is known that together they are not answered. */
  constructor({ now, onOneByOne }: { readonly now: () => number; readonly onOneByOne: () => void }) {
    this.#now = now;
    this.#onOneByOne = onOneByOne;
  }

  begin(): EnvelopeTurn {
    if (this.#state === "one by one" && this.#now() >= this.#until) this.#state = "checked";
    const isCheck = this.#state === "checked" && !this.#isChecking;
    if (isCheck) this.#isChecking = true;
    const isTogether = isCheck || this.#state === "together" || this.#state === "works";
    return {
      isTogether,
      ended: (wasAnswered) => {
        if (isCheck) this.#isChecking = false;
        if (wasAnswered === undefined) return;
        if (isTogether) this.#endedTogether(wasAnswered, isCheck);
        else if (this.#state === "suspected") this.#state = wasAnswered ? "checked" : "together";
      },
    };
  }

  #endedTogether(wasAnswered: boolean, isCheck: boolean): void {
    if (wasAnswered) this.#state = "works";
    else if (this.#state === "together") this.#state = "suspected";
    else if (isCheck && this.#state === "checked") {
      this.#state = "one by one";
      this.#until = this.#now() + KEPT_MS;
      this.#onOneByOne();
    }
  }
}
