import type { Database } from "../connection.ts";
import { takeOut, WAITING_STATES } from "./take-out.ts";

/** Reason of a delivery that an operator has discarded; its timeline has the one for which it was dead before. */
export const DISCARDED = "dropped_by_operator";

const TO = { state: "dead", reason: DISCARDED } as const;

/** By where the delivery is. */
const DISCARDS = {
  dead: takeOut(TO, ["dead"]),
  held: takeOut(TO, ["held"]),
  waiting: takeOut(TO, WAITING_STATES),
};

/** Discards deliveries; returns the ids of those that were in the state `from` and are now `dead`. */
export const discardDeliveries = async (
  db: Database,
  eventIds: readonly string[],
  { group, from }: { readonly group: string; readonly from: keyof typeof DISCARDS },
): Promise<readonly string[]> =>
  eventIds.length === 0 ? [] : (await DISCARDS[from](db, eventIds, group)).map((row) => row.event_id);
