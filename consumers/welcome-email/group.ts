import { userSignedUpSchema } from "../../stream/events/user-signed-up.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { createMessageBuilder } from "../email/message.ts";
import { MAIL_SETTINGS, openMailPool } from "../email/open-pool.ts";
import { prepareRecipients, suppressRecipient } from "../email/recipients.ts";
import { sendMail } from "../email/send.ts";
import { defineGroup, policyOf } from "../engine/factory.ts";

/** Sends the welcome mail of a signup, in the language that the person chose. */
export const factory = defineGroup({
  requires: MAIL_SETTINGS,
  data: userSignedUpSchema,
  open: ({ settings, db, log }) => {
    const pool = openMailPool(settings);
    const build = createMessageBuilder({
      fromAddress: settings.MAIL_FROM,
      fromName: settings.MAIL_FROM_NAME,
      brandName: settings.BRAND_NAME,
      publicUrl: settings.PUBLIC_URL,
    });
    const sending = {
      group: WELCOME_EMAIL.name,
      fromAddress: settings.MAIL_FROM,
      pool,
      greylistMs: settings.RETRY_GREYLIST_MS,
      suppress: suppressRecipient(db, log),
      now: () => performance.now(),
    };
    return {
      subjectOf: ({ user_id }) => user_id,
      prepare: (pieces) => prepareRecipients(db, pieces),
      work: (claim, recipient, attempt) => {
        const { locale } = claim.data;
        const message = { eventId: claim.eventId, locale, userName: recipient.userName, date: new Date() };
        return sendMail(sending, { recipient, build: (to) => build({ ...message, to }) }, claim, attempt);
      },
      policy: {
        ...policyOf(settings),
        oncePerSubject: true,
        expireAfterMs: settings.MAIL_EXPIRE_AFTER_MS,
        uncertain: settings.MAIL_UNCERTAIN,
      },
      close: () => pool.close(),
    };
  },
});
