import { userSignupRepeatedSchema } from "../../stream/events/user-signup-repeated.ts";
import { NOTICE_EMAIL } from "../../stream/groups.ts";
import { mailBudget } from "../email/budget.ts";
import { openMailer } from "../email/mailer.ts";
import { MAILS } from "../email/mails.ts";
import { MAIL_SETTINGS, mailPolicyOf } from "../email/open-pool.ts";
import { defineGroup } from "../engine/factory.ts";

/**
 * Tells the owner of an address that somebody signed up with it again. Events that ask for no notice are done without one, so
 * that their status looks like that of a signup whose mail was sent.
 */
export const factory = defineGroup({
  requires: MAIL_SETTINGS,
  data: userSignupRepeatedSchema,
  open: (context) => {
    const { settings } = context;
    const mailer = openMailer(context, NOTICE_EMAIL.name);
    const send = mailer.mail(MAILS.notice);
    return {
      subjectOf: ({ user_id }) => user_id,
      prepare: async (pieces) => {
        const prepared = await mailer.prepare(pieces);
        // Where no mail is sent, none is counted.
        for (const { eventId, data } of pieces) {
          const found = prepared.get(eventId);
          if (found?.kind === "ready" && !data.notify) prepared.set(eventId, { ...found, quotas: [] });
        }
        return prepared;
      },
      work: async (claim, recipient, attempt) => {
        if (claim.data.notify) return send(claim, recipient, attempt);
        return attempt.commit() ? { kind: "done" } : { kind: "released", reason: "lease_lost" };
      },
      policy: mailPolicyOf(settings),
      budget: mailBudget(settings, "welcome"),
      capacity: mailer.capacity,
      system: mailer.system,
      close: mailer.close,
    };
  },
});
