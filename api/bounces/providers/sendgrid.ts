import { z } from "zod";
import {
  bracketed,
  codeIn,
  IGNORED,
  isAddressAtFault,
  type ReadItem,
  type Report,
  reporter,
  UNREADABLE,
} from "../report.ts";

const event = z.object({
  event: z.string(),
  email: z.string(),
  type: z.string().optional(),
  status: z.string().optional(),
  reason: z.string().optional(),
  response: z.string().optional(),
  /** The Message-ID, as we made it. */
  "smtp-id": z.string().optional(),
});

export const isEvent = (item: object): boolean => "event" in item && "email" in item;

/** Why SendGrid does not even try: it did, earlier. */
const DROPPED: Readonly<Record<string, Report["kind"]>> = {
  "Bounced Address": "bounced",
  Invalid: "bounced",
  "Spam Reporting Address": "complained",
};

/** An event of SendGrid's Event Webhook. */
export const readEvent = (item: unknown): readonly ReadItem[] => {
  const parsed = event.safeParse(item);
  if (!parsed.success) return [UNREADABLE];
  const { event: name, email, type, status, reason, response, "smtp-id": smtpId } = parsed.data;
  const words = reason ?? response;
  const code = codeIn(status, words);
  const report = reporter(item, { code, words, source: "sendgrid", messageId: bracketed(smtpId), recipient: email });
  switch (name) {
    case "bounce":
      // `blocked`: the mail was refused, not the address.
      return report("bounced", type !== "blocked" && (code === undefined || isAddressAtFault(code)));
    case "dropped": {
      const kind = DROPPED[reason ?? ""];
      return kind === undefined ? report("bounced", false) : report(kind, true);
    }
    case "deferred":
      return report("delayed", false);
    case "spamreport":
      return report("complained", true);
    default:
      return [IGNORED];
  }
};
