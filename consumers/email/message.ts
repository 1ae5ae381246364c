import { encode, wrap } from "nodemailer/lib/qp";
import { LOCALES, type Locale } from "../../stream/events/user-signed-up.ts";
import { encodeWords, mailbox, mailDate } from "./headers.ts";
import { escapedName, renderWelcome } from "./templates/welcome.tsx";

export interface MessageOptions {
  readonly fromAddress: string;
  readonly fromName: string;
  readonly brandName: string;
  readonly publicUrl: string;
}

export interface MessageInput {
  readonly eventId: string;
  readonly locale: Locale;
  readonly userName: string;
  /** As it stands in the envelope. */
  readonly to: string;
  readonly date: Date;
}

export interface Message {
  /** `<event id>.welcome@<domain of the sender>`: the same in every copy, so that duplicates are recognisable. */
  readonly messageId: string;
  readonly raw: Buffer;
}

/** Stands for the name while the template is rendered. A private-use character: no word of ours contains it. */
const NAME = "\uE000";
const BOUNDARY = "=_alternative";
/** A line of quoted-printable may have 76 characters, its soft break included (RFC 2045 §6.7). */
const LINE = 75;
const SOFT_BREAK = "=\r\n";

const quotedPrintable = (text: string): string => wrap(encode(text.replace(/\r?\n/g, "\r\n")), LINE);

/** The text split at the name, each piece encoded once. */
const piecesOf = (text: string): readonly string[] => text.split(NAME).map(quotedPrintable);

const filled = (pieces: readonly string[], name: string): string =>
  pieces.join(`${SOFT_BREAK}${quotedPrintable(name)}${SOFT_BREAK}`);

const part = (type: string, body: string): string =>
  [
    `--${BOUNDARY}`,
    `Content-Type: ${type}; charset=utf-8`,
    "Content-Transfer-Encoding: quoted-printable",
    "",
    body,
  ].join("\r\n");

/**
 * Builds messages. Templates are rendered and encoded once per language; per mail only the name is encoded, at half the cost
 * of building each mail with a library.
 */
export const createMessageBuilder = (options: MessageOptions): ((input: MessageInput) => Message) => {
  const { fromAddress, fromName, brandName, publicUrl } = options;
  const domain = fromAddress.slice(fromAddress.lastIndexOf("@") + 1);
  const from = mailbox(fromName, fromAddress);
  const templates = new Map(
    LOCALES.map((locale) => {
      const rendered = renderWelcome({ locale, name: NAME, brandName, publicUrl });
      return [
        locale,
        { subject: rendered.subject.split(NAME), text: piecesOf(rendered.text), html: piecesOf(rendered.html) },
      ];
    }),
  );

  return ({ eventId, locale, to, date, ...input }) => {
    // The API accepts no control characters; a name written to the database by other means must not break lines either.
    const userName = input.userName.toWellFormed().replace(/\p{Cc}+/gu, " ");
    const template = templates.get(locale);
    if (template === undefined) throw new Error(`there is no welcome mail in ${locale}`);
    const messageId = `<${eventId}.welcome@${domain}>`;
    const lines = [
      `From: ${from}`,
      `To: ${mailbox(userName, to)}`,
      `Subject: ${encodeWords(template.subject.join(userName))}`,
      `Message-ID: ${messageId}`,
      `Date: ${mailDate(date)}`,
      "MIME-Version: 1.0",
      `Content-Language: ${locale}`,
      "Auto-Submitted: auto-generated",
      "X-Auto-Response-Suppress: All",
      `Content-Type: multipart/alternative; boundary="${BOUNDARY}"`,
      "",
      part("text/plain", filled(template.text, userName)),
      part("text/html", filled(template.html, escapedName(userName))),
      `--${BOUNDARY}--`,
      "",
    ];
    return { messageId, raw: Buffer.from(lines.join("\r\n")) };
  };
};
