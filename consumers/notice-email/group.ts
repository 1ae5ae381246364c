import { jitteredMs } from "../../runtime/backoff.ts";
import { pause } from "../../runtime/loop.ts";
import { userSignupRepeatedSchema } from "../../stream/events/user-signup-repeated.ts";
import { NOTICE_EMAIL } from "../../stream/groups.ts";
import { mailBudget } from "../email/budget.ts";
import { openMailer } from "../email/mailer.ts";
import { MAILS } from "../email/mails.ts";
import { MAIL_SETTINGS, mailPolicyOf } from "../email/open-pool.ts";
import { defineGroup } from "../engine/factory.ts";

/** Mails whose times are remembered, and about how long one takes before any is. */
const REMEMBERED = 32;
const USUALLY_MS = 500;

/** How long the last notices took, in ms: one of their times, by chance. */
const createTimes = () => {
  const times: number[] = [];
  return {
    add: (ms: number): void => {
      if (times.push(ms) > REMEMBERED) times.shift();
    },
    any: (): number => times[Math.floor(Math.random() * times.length)] ?? jitteredMs(USUALLY_MS, Math.random),
  };
};

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
    const times = createTimes();
    return {
      subjectOf: ({ user_id }) => user_id,
      // Counted and held by the caps, with a notice or without: as a mail to an unknown address.
      prepare: (pieces) => mailer.prepare(pieces),
      work: async (claim, recipient, attempt) => {
        const since = performance.now();
        if (claim.data.notify) {
          const outcome = await send(claim, recipient, attempt);
          if (outcome.kind === "done") times.add(performance.now() - since);
          return outcome;
        }
        await pause(times.any(), attempt.signal);
        return attempt.commit() ? { kind: "done", isUnasked: true } : { kind: "released", reason: "lease_lost" };
      },
      policy: mailPolicyOf(settings),
      budget: mailBudget(settings, "welcome"),
      capacity: mailer.capacity,
      system: mailer.system,
      close: mailer.close,
    };
  },
});
