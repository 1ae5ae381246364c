import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";
import { userSignedUpSchema } from "../../stream/events/user-signed-up.ts";
import { asksToConfirm, WELCOME_EMAIL } from "../../stream/groups.ts";
import { mailBudget } from "../email/budget.ts";
import { openMailer } from "../email/mailer.ts";
import { MAILS } from "../email/mails.ts";
import { MAIL_SETTINGS, mailPolicyOf } from "../email/open-pool.ts";
import { defineGroup } from "../engine/factory.ts";

/**
 * Sends the welcome mail of a signup, in the language that the person chose, with a link to confirm the address; and another
 * link to whoever asks for one and has not confirmed yet.
 */
export const factory = defineGroup({
  requires: MAIL_SETTINGS,
  data: userSignedUpSchema,
  open: (context) => {
    const { settings } = context;
    const mailer = openMailer(context, WELCOME_EMAIL.name);
    const sendWelcome = mailer.mail(MAILS.welcome);
    const sendConfirmation = mailer.mail(MAILS.confirmation);
    const isRequest = ({ type }: { readonly type: string }) => type === USER_CONFIRMATION_REQUESTED;
    return {
      subjectOf: ({ user_id }) => user_id,
      prepare: (pieces) => mailer.prepare(pieces, ({ type }) => asksToConfirm(WELCOME_EMAIL, type)),
      work: (claim, ...rest) => (isRequest(claim) ? sendConfirmation : sendWelcome)(claim, ...rest),
      policy: { ...mailPolicyOf(settings), oncePerSubject: true },
      budget: mailBudget(settings, "welcome"),
      system: mailer.system,
      capacity: mailer.capacity,
      close: mailer.close,
    };
  },
});
