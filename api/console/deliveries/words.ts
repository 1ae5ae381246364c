import type { JobState } from "../../../database/jobs.ts";
import type { ListedState } from "../../../database/ledger/listed.ts";
import type { DeliveryAction } from "../../../ops/actions/deliveries/decide.ts";

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

export const JOB_WORDS: Readonly<Record<JobState, string>> = {
  running: "running",
  done: "done",
  stopped: "stopped",
  failed: "failed",
  interrupted: "interrupted",
};
