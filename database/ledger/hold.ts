import type { Database } from "../connection.ts";
import { takeOut, WAITING_STATES } from "./take-out.ts";

/** Reason of a delivery that an operator holds. */
export const HELD_BY_OPERATOR = "held_by_operator";

/**
 * What is in Redis stays there: whoever claims it finds that it is held, and acks the entry. Counters stay, for the journey; a
 * release resets them.
 */
const hold = takeOut({ state: "held", reason: HELD_BY_OPERATOR }, WAITING_STATES);

/** Holds deliveries for an operator; returns the ids of those that are held by this call. */
export const holdDeliveries = async (
  db: Database,
  eventIds: readonly string[],
  group: string,
): Promise<readonly string[]> =>
  eventIds.length === 0 ? [] : (await hold(db, eventIds, group)).map((row) => row.event_id);
