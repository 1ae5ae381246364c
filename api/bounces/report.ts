import type { ShapeLimits } from "../json-shape.ts";

/** Where a report came from: a mail (RFC 3464, RFC 5965), or the JSON of a provider. */
export type ReportSource = "dsn" | "arf" | "ses" | "sendgrid" | "mailgun" | "postmark";

/** What became of a mail after a mail server had accepted it. */
export interface Report {
  /** `delayed`: it is still being tried. */
  readonly kind: "bounced" | "delayed" | "complained";
  /** Whether no mail to the address will ever arrive. */
  readonly isPermanent: boolean;
  /** Enhanced status code (RFC 3463): `5.1.1`. */
  readonly code: string | undefined;
  /** The server's words, as they came. */
  readonly words: string | undefined;
  readonly source: ReportSource;
  /** All of it, to search for the token of a delivery. */
  readonly text: string;
  /** Of the mail that it is about, in angle brackets. */
  readonly messageId: string | undefined;
  readonly recipient: string | undefined;
}

/** One item of a request, as it was read. */
export type ReadItem =
  | { readonly kind: "report"; readonly report: Report }
  /** It says nothing that is of interest here: a delivery, an opened mail, a reply by a person. */
  | { readonly kind: "ignored" }
  | { readonly kind: "unreadable" }
  /** Amazon SNS asks whether we want a topic's messages; `url` confirms it, and is undefined if it is not one of SNS. */
  | { readonly kind: "subscription"; readonly topic: string; readonly url: string | undefined };

/** Of the JSON of a provider: a report has some dozen values. */
export const REPORT_SHAPE: ShapeLimits = { depth: 32, values: 100_000 };

export const IGNORED: ReadItem = { kind: "ignored" };
export const UNREADABLE: ReadItem = { kind: "unreadable" };

/** What a provider's item says, however the item calls it. */
export type ProviderFacts = Pick<Report, "code" | "words" | "source" | "messageId" | "recipient">;

/** Makes the reports of one item of a provider. */
export const reporter =
  (item: unknown, facts: ProviderFacts) =>
  (kind: Report["kind"], isPermanent: boolean): readonly ReadItem[] => [
    { kind: "report", report: { ...facts, kind, isPermanent, text: JSON.stringify(item) } },
  ];

/** Not a part of an IP address. */
const CODE = /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]\d)/;

/** The first enhanced status code that says more than `5.0.0`; else the first one. */
export const codeIn = (...texts: readonly (string | undefined)[]): string | undefined => {
  const codes = texts.flatMap((text) => CODE.exec(text ?? "")?.[1] ?? []);
  return codes.find((code) => !code.endsWith(".0.0")) ?? codes[0];
};

/**
 * No such mailbox, no such domain, bad syntax, moved, a domain that takes no mail, a mailbox that is disabled (RFC 3463, RFC 7505). All others may be a
 * fault of the sender's (5.1.7, 5.1.8), of the way (5.4.x, as of a domain that is away for days), of the mail, or of nobody: Exim has 5.0.0 for everything.
 */
const OF_ADDRESS = new Set(["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"]);

/** Whether a code says that no mail to the address will ever arrive. */
export const isAddressAtFault = (code: string | undefined): boolean => code !== undefined && OF_ADDRESS.has(code);

/** No line of a mail is longer (RFC 5322, 2.1.1). */
const MAX_LINE = 998;

/** A Message-ID in angle brackets, whether it came with them or without. */
export const bracketed = (messageId: string | undefined): string | undefined => {
  const given = messageId?.trim() ?? "";
  // The pattern takes a time that grows with the square of the length.
  const id = given.length > MAX_LINE ? undefined : /^<?([^<>\s]+@[^<>\s]+?)>?$/.exec(given)?.[1];
  return id === undefined ? undefined : `<${id}>`;
};
