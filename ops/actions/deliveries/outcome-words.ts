import { counted } from "../../../runtime/quantity.ts";
import type { ChangedOutcome, KeptOutcome } from "./decide.ts";

/** What becomes of one, and of several. */
export type OutcomeWords = readonly [one: string, many: string];

/** Of each outcome, what becomes of so many. In the order in which they are listed. */
export const OUTCOME_WORDS: Readonly<Record<ChangedOutcome | KeptOutcome, OutcomeWords>> = {
  queued: ["is queued for its consumers", "are queued for their consumers"],
  unreadable: [
    "is queued, and dies again unless the consumers can read it by now",
    "are queued, and die again unless the consumers can read them by now",
  ],
  cancelled_no_user: [
    "is queued and then cancelled: its user was erased",
    "are queued and then cancelled: their user was erased",
  ],
  cancelled_confirmed: [
    "is queued and then cancelled: the address is confirmed",
    "are queued and then cancelled: the address is confirmed",
  ],
  suppressed: [
    "is queued and ends as suppressed: nothing is sent to its address",
    "are queued and end as suppressed: nothing is sent to their address",
  ],
  held: ["is held until an operator releases it", "are held until an operator releases them"],
  discarded: ["is discarded", "are discarded"],
  stays_suppressed: ["stays as it is: its address is suppressed", "stay as they are: their address is suppressed"],
  stays_discarded: ["stays dead: an operator has discarded it", "stay dead: an operator has discarded them"],
  stays_done: ["stays as it is: done already", "stay as they are: done already"],
  stays_cancelled: ["stays cancelled", "stay cancelled"],
  stays_dead: ["stays dead", "stay dead"],
  stays_held: ["stays held", "stay held"],
  stays_in_flight: ["stays as it is: in flight", "stay as they are: in flight"],
  stays_queued: ["stays queued", "stay queued"],
  stays_retrying: [
    "stays as it is: it waits for its next attempt",
    "stay as they are: they wait for their next attempt",
  ],
  changed_meanwhile: ["was changed by somebody else meanwhile", "were changed by somebody else meanwhile"],
};

/** What becomes of how many, a line for each outcome there is: `1 is discarded`. */
export const outcomeLines = (
  words: Readonly<Record<string, OutcomeWords>>,
  outcomes: Readonly<Record<string, number | undefined>>,
): readonly string[] =>
  Object.entries(words).flatMap(([outcome, [one, many]]) => {
    const number = outcomes[outcome] ?? 0;
    return number === 0 ? [] : [counted(number, one, many)];
  });
