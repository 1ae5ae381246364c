import type { Database } from "../../database/connection.ts";
import { findRecipients, type Recipient } from "../../database/users/recipients.ts";
import { suppressAddress } from "../../database/users/suppressions.ts";
import type { Logger } from "../../observability/logger.ts";
import { GaveUp, persist } from "../../runtime/persist.ts";
import type { Piece, Prepared } from "../engine/handler.ts";
import { NO_SUCH_ADDRESS } from "./classify.ts";

/** The look-up of every group that sends mail to a user: the recipient, and whether the address is suppressed. One statement. */
export const prepareRecipients = async (
  db: Database,
  pieces: readonly Piece<{ readonly user_id: string }>[],
): Promise<Map<string, Prepared<Recipient>>> => {
  const found = await findRecipients(db, [...new Set(pieces.map(({ data }) => data.user_id))]);
  return new Map(
    pieces.map(({ eventId, data }): [string, Prepared<Recipient>] => {
      const recipient = found.get(data.user_id);
      if (recipient === undefined) return [eventId, { kind: "cancel", reason: "no_such_user" }];
      if (recipient.isSuppressed) return [eventId, { kind: "suppress", reason: "address_suppressed" }];
      return [eventId, { kind: "ready", input: recipient }];
    }),
  );
};

/** The look-up of groups that ask to confirm an address: cancelled if it is confirmed already. */
export const prepareUnverified = async (
  db: Database,
  pieces: readonly Piece<{ readonly user_id: string }>[],
): Promise<Map<string, Prepared<Recipient>>> => {
  const prepared = await prepareRecipients(db, pieces);
  return new Map(
    [...prepared].map(([eventId, found]): [string, Prepared<Recipient>] =>
      found.kind === "ready" && found.input.isVerified
        ? [eventId, { kind: "cancel", reason: "address_confirmed" }]
        : [eventId, found],
    ),
  );
};

/** Suppresses an address that the mail server refused as unknown; retries until the database is available. */
export const suppressRecipient =
  (db: Database, log: Logger) =>
  async ({ emailKey }: Recipient, eventId: string, signal: AbortSignal): Promise<void> => {
    try {
      await persist(() => suppressAddress(db, { addressKey: emailKey, reason: NO_SUCH_ADDRESS, eventId }), {
        what: "suppressing an address",
        log,
        signal,
      });
    } catch (error) {
      // Asked to stop: the next mail to the address is refused, too, and suppresses it then.
      if (!(error instanceof GaveUp)) throw error;
    }
  };
