import { z } from "zod";
import { shapeFault } from "../../json-shape.ts";
import {
  bracketed,
  codeIn,
  IGNORED,
  isAddressAtFault,
  REPORT_SHAPE,
  type ReadItem,
  type Report,
  UNREADABLE,
} from "../report.ts";

const recipients = z.array(
  z.object({ emailAddress: z.string(), status: z.string().optional(), diagnosticCode: z.string().optional() }),
);

/** A notification of SES, by the topic of an identity (`notificationType`) or of a configuration set (`eventType`). */
const notification = z.object({
  notificationType: z.string().optional(),
  eventType: z.string().optional(),
  mail: z.object({
    commonHeaders: z.object({ messageId: z.string().optional() }).optional(),
    headers: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
  }),
  bounce: z.object({ bounceType: z.string(), bouncedRecipients: recipients }).optional(),
  complaint: z.object({ complainedRecipients: recipients, complaintFeedbackType: z.string().nullish() }).optional(),
  deliveryDelay: z.object({ delayedRecipients: recipients }).optional(),
});

/** What SNS sends to an endpoint of HTTP. */
const envelope = z.object({
  Type: z.string(),
  TopicArn: z.string(),
  Message: z.string(),
  SubscribeURL: z.string().optional(),
});

const OF_SNS = /^https:\/\/sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/\?[\x21-\x7e]+$/;

type Recipients = z.output<typeof recipients>;

export const isNotification = (item: object): boolean =>
  "mail" in item && ("notificationType" in item || "eventType" in item);
export const isEnvelope = (item: object): boolean => "TopicArn" in item && "Type" in item;

export const readNotification = (item: unknown): readonly ReadItem[] => {
  const parsed = notification.safeParse(item);
  if (!parsed.success) return [UNREADABLE];
  const { mail, bounce, complaint, deliveryDelay } = parsed.data;
  const header = mail.headers?.find(({ name }) => name.toLowerCase() === "message-id")?.value;
  const messageId = bracketed(mail.commonHeaders?.messageId ?? header);
  const text = JSON.stringify(item);
  const reportsOf = (of: Recipients, kind: Report["kind"], isPermanent: (code: string | undefined) => boolean) =>
    of.map(({ emailAddress, status, diagnosticCode }): ReadItem => {
      const code = codeIn(status, diagnosticCode);
      const words = diagnosticCode?.replace(/^smtp;\s*/, "");
      const about = { kind, isPermanent: isPermanent(code), code, words };
      return { kind: "report", report: { ...about, source: "ses", text, messageId, recipient: emailAddress } };
    });
  if (bounce !== undefined) {
    // SES says permanent of what its suppression list holds back, too, without a code.
    const isPermanent = (code: string | undefined) =>
      bounce.bounceType === "Permanent" && (code === undefined || isAddressAtFault(code));
    return reportsOf(bounce.bouncedRecipients, "bounced", isPermanent);
  }
  if (complaint !== undefined) {
    if (complaint.complaintFeedbackType === "not-spam") return [IGNORED];
    return reportsOf(complaint.complainedRecipients, "complained", () => true);
  }
  if (deliveryDelay !== undefined) return reportsOf(deliveryDelay.delayedRecipients, "delayed", () => false);
  return [IGNORED];
};

/** A message of SNS. A subscription is confirmed by an operator: no address that comes with a request is called from here. */
export const readEnvelope = (item: unknown): readonly ReadItem[] => {
  const parsed = envelope.safeParse(item);
  if (!parsed.success) return [UNREADABLE];
  const { Type: type, TopicArn: topic, Message: message, SubscribeURL: url = "" } = parsed.data;
  if (type === "SubscriptionConfirmation") {
    return [{ kind: "subscription", topic, url: OF_SNS.test(url) ? url : undefined }];
  }
  if (type !== "Notification") return [IGNORED];
  try {
    const notification: unknown = JSON.parse(message);
    // JSON within a text of JSON, of which nobody has looked at the shape.
    return shapeFault(message, REPORT_SHAPE) === undefined ? readNotification(notification) : [UNREADABLE];
  } catch {
    // SNS greets a new subscription by a sentence.
    return [IGNORED];
  }
};
