import { userSignedUpSchema } from "../../stream/events/user-signed-up.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { openMailer } from "../email/mailer.ts";
import { MAIL_SETTINGS } from "../email/open-pool.ts";
import { prepareRecipients } from "../email/recipients.ts";
import { WELCOME } from "../email/templates/welcome.ts";
import { defineGroup, policyOf } from "../engine/factory.ts";

/** Sends the welcome mail of a signup, in the language that the person chose, with a link to confirm the address. */
export const factory = defineGroup({
  requires: MAIL_SETTINGS,
  data: userSignedUpSchema,
  open: (context) => {
    const { settings, db } = context;
    const mailer = openMailer(context, { group: WELCOME_EMAIL.name, kind: "welcome", words: WELCOME });
    return {
      subjectOf: ({ user_id }) => user_id,
      prepare: (pieces) => prepareRecipients(db, pieces),
      work: mailer.send,
      policy: {
        ...policyOf(settings),
        oncePerSubject: true,
        expireAfterMs: settings.MAIL_EXPIRE_AFTER_MS,
        uncertain: settings.MAIL_UNCERTAIN,
      },
      close: mailer.close,
    };
  },
});
