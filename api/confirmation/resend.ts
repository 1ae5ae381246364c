import { comparisonKey } from "../../database/comparison-key.ts";
import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import type { RequestConfirmation } from "../../database/users/request-confirmation.ts";
import type { TraceContext } from "../../observability/trace-context.ts";
import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";

export interface ResendDeps {
  readonly db: Database;
  readonly requestConfirmation: RequestConfirmation;
  /** Sends a committed event to Redis, without waiting for it. Never rejects. */
  readonly afterCommit: (event: LoggedEvent) => Promise<void>;
  /** UUIDv7 */
  readonly newId: () => string;
}

/**
 * Asks for another mail to confirm an address. Nothing tells the caller whether somebody has the address, whether it is
 * confirmed, or whether it has had enough mails: not even the time that it takes, since the consumer finds that out.
 */
export type Resend = (email: string, trace: TraceContext) => Promise<void>;

/** @throws the driver's error if the database is unavailable */
export const createResend =
  ({ db, requestConfirmation, afterCommit, newId }: ResendDeps): Resend =>
  async (email, trace) => {
    const event = { eventId: newId(), type: USER_CONFIRMATION_REQUESTED, ...trace };
    const made = await requestConfirmation(db, { emailKey: comparisonKey(email), standIn: newId(), event });
    if (made !== undefined) await afterCommit(made);
  };
