import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import { signConfirmation } from "../../database/users/confirmation-token.ts";
import type { Recipient } from "../../database/users/recipients.ts";
import type { UserSignedUp } from "../../stream/events/user-signed-up.ts";
import type { GroupContext } from "../engine/factory.ts";
import type { Attempt, Claim, Outcome } from "../engine/handler.ts";
import { createMessageBuilder, type MessageOptions } from "./message.ts";
import { type MAIL_SETTINGS, openMailPool } from "./open-pool.ts";
import { suppressRecipient } from "./recipients.ts";
import { sendMail } from "./send.ts";

/** One kind of mail to users, with a link to confirm the address. */
export interface Mailer {
  /** The work of a group that sends such a mail. */
  send(claim: Claim<UserSignedUp>, recipient: Recipient, attempt: Attempt): Promise<Outcome>;
  close(): Promise<void>;
}

/** Opens the connections to the mail server, for the mails of one group. */
export const openMailer = (
  { settings, db, log }: GroupContext<(typeof MAIL_SETTINGS)[number]>,
  { group, ...mail }: Pick<MessageOptions, "kind" | "words"> & { readonly group: string },
): Mailer => {
  const pool = openMailPool(settings);
  const build = createMessageBuilder({
    fromAddress: settings.MAIL_FROM,
    fromName: settings.MAIL_FROM_NAME,
    brandName: settings.BRAND_NAME,
    publicUrl: settings.PUBLIC_URL,
    ...mail,
  });
  const key = createConfirmationKey(db, settings.CONFIRMATION_SECRET);
  const sending = {
    group,
    fromAddress: settings.MAIL_FROM,
    pool,
    greylistMs: settings.RETRY_GREYLIST_MS,
    suppress: suppressRecipient(db, log),
    now: () => performance.now(),
  };
  return {
    async send(claim, recipient, attempt) {
      const { locale } = claim.data;
      const date = new Date();
      const expiresAtMs = date.getTime() + settings.CONFIRMATION_EXPIRE_AFTER_MS;
      const token = signConfirmation(await key(), { userId: recipient.userId, expiresAtMs });
      const message = { eventId: claim.eventId, locale, userName: recipient.userName, date, token };
      return sendMail(sending, { recipient, build: (to) => build({ ...message, to }) }, claim, attempt);
    },
    close: () => pool.close(),
  };
};
