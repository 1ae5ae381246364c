import type { ChangedOutcome, KeptOutcome } from "./decide.ts";

/** Of each outcome, what becomes of so many. In the order in which they are listed. */
export const OUTCOME_WORDS: Readonly<Record<ChangedOutcome | KeptOutcome, string>> = {
  queued: "are queued, and their work is done",
  unreadable: "are queued, and die again unless the consumers can read them by now",
  cancelled_no_user: "are queued and then cancelled: their user was erased",
  cancelled_confirmed: "are queued and then cancelled: the address is confirmed",
  suppressed: "are queued and end as suppressed: nothing is sent to their address",
  held: "are held until an operator releases them",
  discarded: "are discarded",
  stays_suppressed: "stay as they are: their address is suppressed",
  stays_discarded: "stay dead: an operator has discarded them",
  stays_done: "stay as they are: done already",
  stays_cancelled: "stay cancelled",
  stays_dead: "stay dead",
  stays_held: "stay held",
  stays_in_flight: "stay as they are: in flight",
  stays_queued: "stay queued",
  stays_retrying: "stay as they are: they wait for their next attempt",
  changed_meanwhile: "were changed by somebody else meanwhile",
};
