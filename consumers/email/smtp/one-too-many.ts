import type { ConnectionLimit } from "./capacity.ts";
import { ownFailure, type SmtpFailure } from "./failure.ts";
import type { SendResult } from "./outgoing-mail.ts";
import type { createPlaces } from "./places.ts";
import type { OneTooMany } from "./refusals.ts";
import type { SendSlots } from "./send-slots.ts";
import type { Again } from "./sending.ts";
import type { Sessions } from "./sessions.ts";
import type { createWords } from "./words.ts";

interface OneTooManyDeps {
  readonly sessions: Pick<Sessions, "usable" | "closing">;
  readonly limit: Pick<ConnectionLimit, "refused" | "starved">;
  readonly places: Pick<ReturnType<typeof createPlaces>, "refusalOf" | "refused" | "hearsSoon">;
  readonly words: Pick<ReturnType<typeof createWords>, "limited" | "refused">;
  readonly slots: Pick<SendSlots, "turnAway" | "failRefused">;
  /** Connections that are being opened. */
  readonly opening: () => number;
  /** Asks for a connection, without a mail. */
  readonly ask: () => void;
}

/** What becomes of a mail whose connection was refused. */
export const createOneTooMany = ({ sessions, limit, places, words, slots, opening, ask }: OneTooManyDeps) => {
  /**
   * A consumer that has no connection has no use for mails: others, who have one, send them. So they are given back, and no more
   * are taken until there is a connection.
   */
  const starve = (refusal: OneTooMany): SendResult => {
    // Else it may be away for a moment, and what was granted outlives that.
    if (refusal === "said") limit.starved();
    slots.turnAway();
    ask();
    return { kind: "failed", failure: ownFailure("EBUSY", false) };
  };

  /** The server granted no more connections than there are; or it is away, and so it is for all that wait since they were refused. */
  return (failure: SmtpFailure, to: string): SendResult | Again => {
    // Those that are being opened show nothing, if this one was not greeted for so long: neither may they be.
    const others = sessions.usable() + (failure.cause === "GREETING_TIMEOUT" ? 0 : opening());
    const isLimit = limit.refused(others, sessions.closing());
    if (isLimit) words.limited(failure, to, "connections");
    else words.refused(failure, to);
    const refusal = places.refusalOf(failure);
    places.refused(refusal !== undefined || (isLimit && failure.responseCode !== undefined));
    if (isLimit) return { kind: "again", failure };
    if (refusal !== undefined) return starve(refusal);
    if (places.hearsSoon(failure)) return { kind: "again", failure };
    slots.failRefused();
    return { kind: "failed", failure };
  };
};
