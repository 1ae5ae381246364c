import { z } from "zod";
import { bracketed, codeIn, IGNORED, isAddressAtFault, type ReadItem, reporter, UNREADABLE } from "../report.ts";

const payload = z.object({
  "event-data": z.object({
    event: z.string(),
    severity: z.string().optional(),
    reason: z.string().optional(),
    recipient: z.string().optional(),
    "delivery-status": z
      .object({
        "enhanced-code": z.string().nullish(),
        message: z.string().nullish(),
        description: z.string().nullish(),
      })
      .optional(),
    message: z.object({ headers: z.object({ "message-id": z.string().optional() }).optional() }).optional(),
  }),
});

export const isPayload = (item: object): boolean => "event-data" in item;

/** A webhook of Mailgun. */
export const readPayload = (item: unknown): readonly ReadItem[] => {
  const parsed = payload.safeParse(item);
  if (!parsed.success) return [UNREADABLE];
  const { event, severity, reason, recipient, message, "delivery-status": status } = parsed.data["event-data"];
  const words = status?.message || status?.description || undefined;
  const code = codeIn(status?.["enhanced-code"] ?? undefined, words);
  const report = reporter(item, {
    code,
    words,
    source: "mailgun",
    messageId: bracketed(message?.headers?.["message-id"]),
    recipient,
  });
  if (event === "complained" || reason === "suppress-complaint") return report("complained", true);
  if (event !== "failed") return [IGNORED];
  if (severity !== "permanent") return report("delayed", false);
  return report("bounced", code === undefined || isAddressAtFault(code));
};
