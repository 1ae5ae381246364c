import PostalMime, { type Attachment, type Email } from "postal-mime";
import { bracketed, codeIn, IGNORED, isAddressAtFault, type ReadItem, type Report, UNREADABLE } from "./report.ts";

const STATUS_TYPES = new Set(["message/delivery-status", "message/global-delivery-status"]);
const ORIGINAL_TYPES = new Set([
  "message/rfc822",
  "message/rfc822-headers",
  "text/rfc822-headers",
  "message/global",
  "message/global-headers",
]);
/** A list of addresses takes the parser a time that grows with the square of its length: 50 ms for as much as this. */
const LIMITS = { maxNestingDepth: 16, maxHeadersSize: 64 * 1_024 };
/** Each costs the parser some µs, as lines, and some dozen, as parts: a mail of nothing else would hold up everybody for seconds. */
const MAX_LINES = 20_000;
const MAX_BOUNDARIES = 1_000;
/** Of one report; a mail of ours has one recipient. */
const MAX_RECIPIENTS = 20;

const LINE_FEED = 10;
const HYPHEN = 45;

type Fields = ReadonlyMap<string, string>;

/** `Name: value` lines, unfolded, by their names in lower case; of a name that occurs twice, the first. */
const fieldsOf = (block: string): Fields => {
  const fields = new Map<string, string>();
  for (const line of block.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const [, name = "", value = ""] = /^([!-9;-~]+):(.*)$/.exec(line) ?? [];
    if (name !== "" && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value.trim());
  }
  return fields;
};

const blocksOf = (text: string): readonly Fields[] => text.split(/\r?\n[ \t]*\r?\n/).map(fieldsOf);

/** The value after a type: `smtp; 550 ...`, `rfc822; user@inbox.example`. */
const afterType = (value: string | undefined): string | undefined => value?.replace(/^[^;\s]{1,40}\s*;\s*/, "");

const textOf = (attachment: Attachment | undefined): string =>
  typeof attachment?.content === "string" ? attachment.content : "";

interface Parts {
  readonly text: string;
  readonly messageId: string | undefined;
}

/** A mail server could not deliver, or not yet (RFC 3464). */
const readStatus = (status: string, parts: Parts): readonly ReadItem[] =>
  blocksOf(status)
    .filter((fields) => fields.has("action") || fields.has("final-recipient"))
    .slice(0, MAX_RECIPIENTS)
    .map((fields): ReadItem => {
      const action = fields.get("action")?.toLowerCase() ?? "failed";
      if (action !== "failed" && action !== "delayed") return IGNORED;
      const words = afterType(fields.get("diagnostic-code"));
      const code = codeIn(fields.get("status"), words);
      const isBounce = action === "failed";
      return {
        kind: "report",
        report: {
          ...parts,
          kind: isBounce ? "bounced" : "delayed",
          isPermanent: isBounce && isAddressAtFault(code),
          code,
          words,
          source: "dsn",
          recipient: afterType(fields.get("original-recipient") ?? fields.get("final-recipient")),
        },
      };
    });

/** Somebody pressed "this is spam" (RFC 5965). */
const readFeedback = (feedback: string, parts: Parts): readonly ReadItem[] => {
  const fields = fieldsOf(feedback);
  const type = fields.get("feedback-type")?.toLowerCase();
  if (type === undefined) return [UNREADABLE];
  // It takes a complaint back.
  if (type === "not-spam") return [IGNORED];
  const report: Report = {
    ...parts,
    kind: "complained",
    isPermanent: true,
    code: undefined,
    words: type,
    source: "arf",
    recipient: fields.get("original-rcpt-to"),
  };
  return [{ kind: "report", report }];
};

/** Exim before 4.83 and qmail have no part for programs; some say at least who did not get it. */
const readOldBounce = (recipient: string, body: string, parts: Parts): readonly ReadItem[] => {
  const code = codeIn(body);
  const report: Report = {
    ...parts,
    kind: "bounced",
    isPermanent: isAddressAtFault(code),
    code,
    words: undefined,
    source: "dsn",
    recipient,
    messageId: bracketed(/^Message-ID:\s*(<[^>\s]+>)/im.exec(body)?.[1]),
  };
  return [{ kind: "report", report }];
};

/** Whether a mail is made of more lines, or of more that look like boundaries, than a mail server would write. */
const isBloated = (raw: Uint8Array): boolean => {
  let [lines, boundaries] = [0, 0];
  for (let at = raw.indexOf(LINE_FEED); at >= 0; at = raw.indexOf(LINE_FEED, at + 1)) {
    lines += 1;
    if (raw[at + 1] === HYPHEN && raw[at + 2] === HYPHEN) boundaries += 1;
    if (lines > MAX_LINES || boundaries > MAX_BOUNDARIES) return true;
  }
  return false;
};

const parse = async (raw: Uint8Array): Promise<Email | undefined> => {
  if (isBloated(raw)) return undefined;
  try {
    return await PostalMime.parse(raw, { ...LIMITS, forceRfc822Attachments: true, attachmentEncoding: "utf8" });
  } catch {
    // Beyond a limit: nothing that a mail server would write.
    return undefined;
  }
};

/** Reads a mail that came back: what a mail server, or a mailbox provider, says of a mail of ours. */
export const readMailReport = async (raw: Uint8Array): Promise<readonly ReadItem[]> => {
  const email = await parse(raw);
  if (email === undefined || email.headers.length === 0) return [UNREADABLE];
  const partOf = (types: ReadonlySet<string>) => email.attachments.find(({ mimeType }) => types.has(mimeType));
  const original = fieldsOf(textOf(partOf(ORIGINAL_TYPES)).split(/\r?\n\r?\n/, 1)[0] ?? "");
  // A part may be in base64, where a search of the whole mail finds nothing.
  const text = [Buffer.from(raw).toString("latin1"), ...email.attachments.map(textOf)].join("\n");
  const parts = { text, messageId: bracketed(original.get("message-id")) };
  const status = partOf(STATUS_TYPES);
  if (status !== undefined) return readStatus(textOf(status), parts);
  const feedback = partOf(new Set(["message/feedback-report"]));
  if (feedback !== undefined) return readFeedback(textOf(feedback), parts);
  const failed = email.headers.find(({ key }) => key === "x-failed-recipients")?.value;
  return failed === undefined ? [IGNORED] : readOldBounce(failed, email.text ?? "", parts);
};
