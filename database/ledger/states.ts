/** The state of a delivery. A new state does not compile until every switch handles it. */
export const DELIVERY_STATES = [
  "queued",
  "active",
  "retrying",
  "uncertain",
  "held",
  "done",
  "dead",
  "suppressed",
  "cancelled",
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** States that a consumer must bring to an end. */
export const UNFINISHED_STATES = ["queued", "active", "retrying", "uncertain"] as const satisfies DeliveryState[];
export const FINAL_STATES = ["done", "dead", "suppressed", "cancelled"] as const satisfies DeliveryState[];

const FINAL: ReadonlySet<DeliveryState> = new Set(FINAL_STATES);

/** Whether the delivery is final: neither a consumer nor an operator has anything left to do. */
export const isFinal = (state: DeliveryState): boolean => FINAL.has(state);

const listed = (states: readonly DeliveryState[]): string => states.map((state) => `'${state}'`).join(", ");

/** SQL lists of states, for `state in (...)`. The partial indexes `deliveries_unfinished` and `deliveries_due` have the first in their predicates. */
export const SQL_UNFINISHED = listed(UNFINISHED_STATES);
export const SQL_FINAL = listed(FINAL_STATES);
