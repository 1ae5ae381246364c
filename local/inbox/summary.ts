import { simpleParser } from "mailparser";
import type { CaughtMail } from "./mailbox.ts";

/** A mail in the list and in `GET /api/messages`. */
export interface MailSummary {
  readonly id: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  readonly receivedAt: string;
  /** Bytes */
  readonly size: number;
}

/** The lines before the first empty one. */
export const headersOf = (raw: string): string => raw.split(/\r?\n\r?\n/, 1)[0] ?? "";

/** Summarises mails, each only once: the page asks for all of them every two seconds. */
export const createSummaries = (): ((mail: CaughtMail) => Promise<MailSummary>) => {
  const known = new WeakMap<CaughtMail, Promise<MailSummary>>();
  const summarise = async ({ raw, id, from, to, receivedAt }: CaughtMail): Promise<MailSummary> => {
    const head = Buffer.from(`${headersOf(raw)}\r\n\r\n`, "latin1");
    const { subject = "", messageId = "" } = await simpleParser(head);
    return { id, from, to, subject, messageId, receivedAt, size: raw.length };
  };
  return (mail) => {
    const summary = known.get(mail) ?? summarise(mail);
    known.set(mail, summary);
    return summary;
  };
};
