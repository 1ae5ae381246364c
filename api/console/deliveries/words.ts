import type { JobState } from "../../../database/jobs.ts";
import type { ListedState } from "../../../database/ledger/listed.ts";
import type { ChangedOutcome, DeliveryAction, KeptOutcome } from "../../../ops/actions/deliveries/decide.ts";

export const STATE_WORDS: Readonly<Record<ListedState, string>> = {
  dead: "dead",
  retrying: "retrying",
  held: "held",
  uncertain: "uncertain",
  active: "in flight",
  queued: "queued",
  waiting: "waiting for their delay",
  suppressed: "suppressed",
  cancelled: "cancelled",
  done: "done",
};

export const ACTION_WORDS: Readonly<Record<DeliveryAction, string>> = {
  retry: "Retry",
  "retry-now": "Retry now",
  hold: "Hold",
  release: "Release",
  discard: "Discard",
};

/** What may be done with deliveries of a state. */
export const ACTIONS_FOR: Readonly<Record<ListedState, readonly DeliveryAction[]>> = {
  dead: ["retry", "discard"],
  suppressed: ["retry"],
  retrying: ["retry-now", "hold", "discard"],
  uncertain: ["retry-now", "hold", "discard"],
  waiting: ["retry-now", "hold", "discard"],
  queued: ["hold", "discard"],
  held: ["release", "discard"],
  active: [],
  cancelled: [],
  done: [],
};

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

export const JOB_WORDS: Readonly<Record<JobState, string>> = {
  running: "running",
  done: "done",
  stopped: "stopped",
  failed: "failed",
  interrupted: "interrupted",
};
