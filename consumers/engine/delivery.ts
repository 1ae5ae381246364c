import type { TakenEmail } from "../../database/claim-emails.ts";
import type { Entry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/event.ts";
import type { Outcome } from "./outcome.ts";

/** One entry in this consumer's hands, from its read to its move. */
export interface Delivery {
  readonly entry: Entry;
  readonly event: StreamEvent;
  readonly mail: TakenEmail;
  /** Aborted when the try is to end before the body goes out: asked to stop, or the mail is somebody else's. */
  readonly giveUp: AbortController;
  /** Started while the breaker was not closed: its failure is the probe's own. */
  readonly isProbe: boolean;
  /** Resolved when the process can wait no longer for an answer to the body. */
  readonly cutOff: PromiseWithResolvers<Outcome>;
  /** Monotonic time in ms until which the ledger holds the mail for us, seen from before the claim was sent. */
  leaseUntil: number;
  /** The body has gone, or is going, out: from here on nobody can call it back. */
  bodyStarted: boolean;
  /** The ledger has given the mail to another claim. */
  lost: boolean;
}

/** Whether the body may go out now: the mail is still ours by the ledger's lease, and nobody asked us to stop. */
export const mayStartBody = (delivery: Delivery, now: () => number): boolean =>
  !delivery.lost && !delivery.giveUp.signal.aborted && now() < delivery.leaseUntil;
