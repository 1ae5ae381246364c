import { z } from "zod";
import { codeIn, IGNORED, type ReadItem, reporter, UNREADABLE } from "../report.ts";

const record = z.object({
  RecordType: z.string().optional(),
  Type: z.string().optional(),
  Email: z.string(),
  Description: z.string().optional(),
  Details: z.string().optional(),
});

export const isRecord = (item: object): boolean => "RecordType" in item || ("Email" in item && "Type" in item);

/** Types of bounces that are none: https://postmarkapp.com/developer/api/bounce-api#bounce-types */
const NO_BOUNCES = new Set(["AutoResponder", "Subscribe", "Unsubscribe", "AddressChange", "OpenRelayTest"]).add(
  "ChallengeVerification",
);
const PERMANENT = new Set(["HardBounce", "BadEmailAddress"]);
/** Postmark tries again. */
const DELAYED = new Set(["Transient", "DnsError"]);

/** A webhook of Postmark, for bounces or for complaints. It has no Message-ID of ours: the mail is found by its recipient. */
export const readRecord = (item: unknown): readonly ReadItem[] => {
  const parsed = record.safeParse(item);
  if (!parsed.success) return [UNREADABLE];
  const { RecordType: recordType = "Bounce", Type: type = "", Email: recipient, Details, Description } = parsed.data;
  const words = Details || Description || undefined;
  const report = reporter(item, { code: codeIn(Details), words, source: "postmark", messageId: undefined, recipient });
  if (recordType === "SpamComplaint" || type === "SpamComplaint") return report("complained", true);
  if (recordType !== "Bounce" || NO_BOUNCES.has(type)) return [IGNORED];
  return DELAYED.has(type) ? report("delayed", false) : report("bounced", PERMANENT.has(type));
};
