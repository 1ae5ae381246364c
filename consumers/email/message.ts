import { encode, wrap } from "nodemailer/lib/qp";
import { LOCALES, type Locale } from "../../stream/events/user-signed-up.ts";
import { encodeWords, mailbox, mailDate } from "./headers.ts";
import { confirmationLink, notMeLink } from "./links.ts";
import { shownName } from "./shown-name.ts";
import { createSpareBuffers, type Filled, placesOf } from "./template.ts";
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

export interface Message extends Filled {
  /** `<event id>.<kind>@<domain of the sender>`: the same in every copy, so that duplicates are recognisable. */
  readonly messageId: string;
}

/** What is filled in per mail. */
const PLACES = ["to", "messageId", "date", "greeting", "htmlGreeting", "token", "notMeToken"] as const;
const { markOf, encodedAround, templateOf } = placesOf(PLACES);

const BOUNDARY = "=_alternative";
/** A line of quoted-printable may have 76 characters, its soft break included (RFC 2045 §6.7). */
const LINE = 75;
const SOFT_BREAK = "=\r\n";

const quotedPrintable = (text: string): string => wrap(encode(text.replace(/\r?\n/g, "\r\n")), LINE);

/**
 * The text encoded, but for its marks, each of which is a line of its own: so what is filled in for it is encoded alone. A token is not:
 * 72 characters of base64url, which quoted-printable leaves as they are.
 */
const body = (text: string): string => encodedAround(text, quotedPrintable, SOFT_BREAK);

const part = (type: string, content: string): string =>
  [
    `--${BOUNDARY}`,
    `Content-Type: ${type}; charset=utf-8`,
    "Content-Transfer-Encoding: quoted-printable",
    "",
    content,
  ].join("\r\n");

/**
 * Builds messages. Templates are rendered and encoded once per language, headers included; per mail only the greeting is encoded, and
 * the pieces are copied. Of the user's name the headers have nothing, and the body what `shownName` leaves.
 */
export const createMessageBuilder = (options: MessageOptions): ((input: MessageInput) => Message) => {
  const { fromAddress, fromName, brandName, publicUrl, kind, words, link = confirmationLink } = options;
  const domain = fromAddress.slice(fromAddress.lastIndexOf("@") + 1);
  const from = mailbox(fromName, fromAddress);
  const messageIn = (locale: Locale): string => {
    const { subject, text, html } = renderLetter(words[locale], {
      locale,
      greeting: markOf("greeting"),
      brandName,
      link: link(publicUrl, locale, markOf("token")),
      notMeLink: notMeLink(publicUrl, locale, markOf("notMeToken")),
    });
    return [
      `From: ${from}`,
      `To: <${markOf("to")}>`,
      `Subject: ${encodeWords(subject)}`,
      `Message-ID: ${markOf("messageId")}`,
      `Date: ${markOf("date")}`,
      "MIME-Version: 1.0",
      `Content-Language: ${locale}`,
      "Auto-Submitted: auto-generated",
      "X-Auto-Response-Suppress: All",
      `Content-Type: multipart/alternative; boundary="${BOUNDARY}"`,
      "",
      part("text/plain", body(text)),
      part("text/html", body(html.replaceAll(markOf("greeting"), markOf("htmlGreeting")))),
      `--${BOUNDARY}--`,
      "",
    ].join("\r\n");
  };
  const buffers = createSpareBuffers();
  const templates = new Map(LOCALES.map((locale) => [locale, templateOf(messageIn(locale), buffers)]));

  return ({ eventId, locale, userName, to, date, token, notMeToken }) => {
    const template = templates.get(locale);
    if (template === undefined) throw new Error(`there is no ${kind} mail in ${locale}`);
    const messageId = `<${eventId}.${kind}@${domain}>`;
    const name = shownName(userName);
    const greeting = quotedPrintable(greetingOf(locale, name));
    const htmlGreeting = quotedPrintable(greetingHtml(locale, name));
    const values = { to, messageId, date: mailDate(date), greeting, htmlGreeting, token, notMeToken };
    return { messageId, ...template(values) };
  };
};
