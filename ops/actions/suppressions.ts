import { liftSuppression, liftSuppressions, type SuppressionSelection } from "../../database/users/suppressions.ts";
import { audited } from "./audited.ts";
import type { Operator } from "./operator.ts";

/** Lets mail be sent to an address again. Undefined if it was not suppressed; else the event whose mail was refused. */
export const liftAddress = audited({
  name: "suppressions lift",
  // The address is personal; the event says whose it is, as long as the user is there.
  describe: () => ({}),
  run: ({ db }: Operator, address: string): Promise<string | undefined> => liftSuppression(db, address),
  resultOf: (eventId) => (eventId === undefined ? { affected: 0 } : { affected: 1, eventIds: [eventId] }),
});

/** The same for all addresses that were suppressed for a reason, within a time. Returns how many. */
export const liftAddresses = audited({
  name: "suppressions lift",
  describe: ([{ reason, since, before }]) => ({
    arguments: { reason, since: since?.toISOString(), before: before?.toISOString() },
  }),
  run: ({ db }: Operator, selection: SuppressionSelection): Promise<number> => liftSuppressions(db, selection),
  resultOf: (lifted) => ({ affected: lifted }),
});
