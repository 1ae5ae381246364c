/** Where a delivery stands. A new state does not compile until every switch over it has decided. */
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

/** What a consumer, and nobody else, has to bring further. */
export const UNFINISHED_STATES = ["queued", "active", "retrying", "uncertain"] as const satisfies DeliveryState[];
export const FINAL_STATES = ["done", "dead", "suppressed", "cancelled"] as const satisfies DeliveryState[];

const FINAL: ReadonlySet<DeliveryState> = new Set(FINAL_STATES);

/** Whether nothing more will happen to the delivery, neither by itself nor by an operator's decision that it waits for. */
export const isFinal = (state: DeliveryState): boolean => FINAL.has(state);

const listed = (states: readonly DeliveryState[]): string => states.map((state) => `'${state}'`).join(", ");

/** SQL lists of states, for `state in (...)`. The partial index `deliveries_unfinished` has the first in its predicate. */
export const SQL_UNFINISHED = listed(UNFINISHED_STATES);
export const SQL_FINAL = listed(FINAL_STATES);
