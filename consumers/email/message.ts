import { encode, wrap } from "nodemailer/lib/qp";
import { LOCALES, type Locale } from "../../stream/events/user-signed-up.ts";
import { encodeWords, mailbox, mailDate } from "./headers.ts";
import { confirmationLink, notMeLink } from "./links.ts";
import { shownName } from "./shown-name.ts";
import { greetingHtml, greetingOf, type LetterWords, renderLetter } from "./templates/letter.tsx";

export interface MessageOptions {
  readonly fromAddress: string;
  readonly fromName: string;
  readonly brandName: string;
  readonly publicUrl: string;
  /** The kind of mail, in its Message-ID: `welcome`. */
  readonly kind: string;
  readonly words: Readonly<Record<Locale, LetterWords>>;
  /** Where its button leads; to confirm the address if not given. */
  readonly link?: (publicUrl: string, locale: Locale, token: string) => string;
}

export interface MessageInput {
  readonly eventId: string;
  readonly locale: Locale;
  readonly userName: string;
  /** As it stands in the envelope. */
  readonly to: string;
  readonly date: Date;
  /** Confirms the recipient's address. */
  readonly token: string;
  /** For a recipient who did not sign up. */
  readonly notMeToken: string;
}

export interface Message {
  /** `<event id>.<kind>@<domain of the sender>`: the same in every copy, so that duplicates are recognisable. */
  readonly messageId: string;
  readonly raw: Buffer;
}

/** Stand for what is filled in per mail while the template is rendered. Private-use characters: no word of ours contains them. */
const GREETING = "\uE000";
const TOKEN = "\uE001";
const NOT_ME_TOKEN = "\uE002";
const PLACES = new RegExp(`([${GREETING}${TOKEN}${NOT_ME_TOKEN}])`);
const BOUNDARY = "=_alternative";
/** A line of quoted-printable may have 76 characters, its soft break included (RFC 2045 §6.7). */
const LINE = 75;
const SOFT_BREAK = "=\r\n";

const quotedPrintable = (text: string): string => wrap(encode(text.replace(/\r?\n/g, "\r\n")), LINE);

/** The text split at its places, which are kept; every other piece is encoded, once. */
const piecesOf = (text: string): readonly string[] =>
  text.split(PLACES).map((piece) => (PLACES.test(piece) ? piece : quotedPrintable(piece)));

/** A token is a line of its own, as it is: 72 characters of base64url, which quoted-printable leaves alone. */
const filled = (pieces: readonly string[], places: Readonly<Record<string, string>>): string =>
  pieces.map((piece) => places[piece] ?? piece).join(SOFT_BREAK);

const part = (type: string, body: string): string =>
  [
    `--${BOUNDARY}`,
    `Content-Type: ${type}; charset=utf-8`,
    "Content-Transfer-Encoding: quoted-printable",
    "",
    body,
  ].join("\r\n");

/**
 * Builds messages. Templates are rendered and encoded once per language; per mail only the greeting is encoded, at half
 * the cost of building each mail with a library. Of the user's name the headers have nothing, and the body what `shownName` leaves.
 */
export const createMessageBuilder = (options: MessageOptions): ((input: MessageInput) => Message) => {
  const { fromAddress, fromName, brandName, publicUrl, kind, words, link = confirmationLink } = options;
  const domain = fromAddress.slice(fromAddress.lastIndexOf("@") + 1);
  const from = mailbox(fromName, fromAddress);
  const templates = new Map(
    LOCALES.map((locale) => {
      const rendered = renderLetter(words[locale], {
        locale,
        greeting: GREETING,
        brandName,
        link: link(publicUrl, locale, TOKEN),
        notMeLink: notMeLink(publicUrl, locale, NOT_ME_TOKEN),
      });
      const { subject, text, html } = rendered;
      return [locale, { subject: encodeWords(subject), text: piecesOf(text), html: piecesOf(html) }];
    }),
  );

  return ({ eventId, locale, userName, to, date, token, notMeToken }) => {
    const template = templates.get(locale);
    if (template === undefined) throw new Error(`there is no ${kind} mail in ${locale}`);
    const messageId = `<${eventId}.${kind}@${domain}>`;
    const name = shownName(userName);
    const body = (pieces: readonly string[], greeting: string) =>
      filled(pieces, { [GREETING]: quotedPrintable(greeting), [TOKEN]: token, [NOT_ME_TOKEN]: notMeToken });
    const lines = [
      `From: ${from}`,
      `To: <${to}>`,
      `Subject: ${template.subject}`,
      `Message-ID: ${messageId}`,
      `Date: ${mailDate(date)}`,
      "MIME-Version: 1.0",
      `Content-Language: ${locale}`,
      "Auto-Submitted: auto-generated",
      "X-Auto-Response-Suppress: All",
      `Content-Type: multipart/alternative; boundary="${BOUNDARY}"`,
      "",
      part("text/plain", body(template.text, greetingOf(locale, name))),
      part("text/html", body(template.html, greetingHtml(locale, name))),
      `--${BOUNDARY}--`,
      "",
    ];
    return { messageId, raw: Buffer.from(lines.join("\r\n")) };
  };
};
