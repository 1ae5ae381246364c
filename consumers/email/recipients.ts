import type { Database } from "../../database/connection.ts";
import { findRecipients, type Recipient } from "../../database/users/recipients.ts";
import { suppressAddress } from "../../database/users/suppressions.ts";
import type { Logger } from "../../observability/logger.ts";
import { GaveUp, persist } from "../../runtime/persist.ts";
import type { Piece, Prepared } from "../engine/handler.ts";
import type { Quota } from "../engine/quotas.ts";
import { NO_SUCH_ADDRESS } from "./classify.ts";
import { wireAddress } from "./headers.ts";

type ToUser = Piece<{ readonly user_id: string }>;

/**
 * The look-up of every group that sends mail to a user: the recipient, and whether the address is suppressed. One statement,
 * and a second one for addresses that are other spellings of their mailbox.
 * `asksToConfirm`: whether a mail only asks to confirm the address; it is cancelled if that is done. `capsOf`: the quotas that a
 * mail to an address uses.
 */
export const prepareRecipients = async (
  db: Database,
  pieces: readonly ToUser[],
  asksToConfirm: (piece: ToUser) => boolean = () => false,
  capsOf: (email: string) => readonly Quota[] = () => [],
): Promise<Map<string, Prepared<Recipient>>> => {
  const found = await findRecipients(db, [...new Set(pieces.map(({ data }) => data.user_id))]);
  return new Map(
    pieces.map((piece): [string, Prepared<Recipient>] => {
      const { eventId, data } = piece;
      const recipient = found.get(data.user_id);
      if (recipient === undefined) return [eventId, { kind: "cancel", reason: "no_such_user" }];
      if (recipient.isSuppressed) return [eventId, { kind: "suppress", reason: "address_suppressed" }];
      if (recipient.isVerified && asksToConfirm(piece))
        return [eventId, { kind: "cancel", reason: "address_confirmed" }];
      const address = wireAddress(recipient.email);
      const party = address.kind === "address" ? { party: address.domain } : {};
      return [eventId, { kind: "ready", input: recipient, quotas: capsOf(recipient.email), ...party }];
    }),
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
