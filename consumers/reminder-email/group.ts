import { userSignedUpSchema } from "../../stream/events/user-signed-up.ts";
import { asksToConfirm, REMINDER_EMAIL } from "../../stream/groups.ts";
import { mailBudget } from "../email/budget.ts";
import { openMailer } from "../email/mailer.ts";
import { MAILS } from "../email/mails.ts";
import { MAIL_SETTINGS, mailPolicyOf } from "../email/open-pool.ts";
import { defineGroup } from "../engine/factory.ts";

/** Reminds, after the delay of the group, who has not confirmed their address. */
export const factory = defineGroup({
  requires: MAIL_SETTINGS,
  data: userSignedUpSchema,
  open: (context) => {
    const { settings } = context;
    const mailer = openMailer(context, REMINDER_EMAIL.name);
    return {
      subjectOf: ({ user_id }) => user_id,
      prepare: (pieces) => mailer.prepare(pieces, ({ type }) => asksToConfirm(REMINDER_EMAIL, type)),
      work: mailer.mail(MAILS.reminder),
      policy: {
        ...mailPolicyOf(settings),
        oncePerSubject: true,
        // The age of a delivery counts from its event.
        expireAfterMs: settings.REMINDER_DELAY_MS + settings.MAIL_EXPIRE_AFTER_MS,
      },
      budget: mailBudget(settings, "reminder"),
      system: mailer.system,
      capacity: mailer.capacity,
      close: mailer.close,
    };
  },
});
