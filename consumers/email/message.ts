import { encode, wrap } from "nodemailer/lib/qp";
import { LOCALES, type Locale } from "../../stream/events/user-signed-up.ts";
import { confirmationLink } from "./confirmation-link.ts";
import { encodeWords, mailbox, mailDate } from "./headers.ts";
import { escapedName, type LetterWords, renderLetter } from "./templates/letter.tsx";

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
}

export interface Message {
  /** `<event id>.<kind>@<domain of the sender>`: the same in every copy, so that duplicates are recognisable. */
  readonly messageId: string;
  readonly raw: Buffer;
}

/** Stand for name and token while the template is rendered. Private-use characters: no word of ours contains them. */
const NAME = "\uE000";
const TOKEN = "\uE001";
const PLACES = new RegExp(`([${NAME}${TOKEN}])`);
const BOUNDARY = "=_alternative";
/** A line of quoted-printable may have 76 characters, its soft break included (RFC 2045 §6.7). */
const LINE = 75;
const SOFT_BREAK = "=\r\n";

const quotedPrintable = (text: string): string => wrap(encode(text.replace(/\r?\n/g, "\r\n")), LINE);

/** The text split at name and token, which are kept; every other piece is encoded, once. */
const piecesOf = (text: string): readonly string[] =>
  text.split(PLACES).map((piece) => (piece === NAME || piece === TOKEN ? piece : quotedPrintable(piece)));

/** A token is a line of its own, as it is: 72 characters of base64url, which quoted-printable leaves alone. */
const filled = (pieces: readonly string[], name: string, token: string): string => {
  const encodedName = quotedPrintable(name);
  return pieces.map((piece) => (piece === NAME ? encodedName : piece === TOKEN ? token : piece)).join(SOFT_BREAK);
};

const part = (type: string, body: string): string =>
  [
    `--${BOUNDARY}`,
    `Content-Type: ${type}; charset=utf-8`,
    "Content-Transfer-Encoding: quoted-printable",
    "",
    body,
  ].join("\r\n");

/**
 * Builds messages. Templates are rendered and encoded once per language; per mail only the name is encoded, at half
 * the cost of building each mail with a library.
 */
export const createMessageBuilder = (options: MessageOptions): ((input: MessageInput) => Message) => {
  const { fromAddress, fromName, brandName, publicUrl, kind, words, link = confirmationLink } = options;
  const domain = fromAddress.slice(fromAddress.lastIndexOf("@") + 1);
  const from = mailbox(fromName, fromAddress);
  const templates = new Map(
    LOCALES.map((locale) => {
      const rendered = renderLetter(words[locale], {
        locale,
        name: NAME,
        brandName,
        link: link(publicUrl, locale, TOKEN),
      });
      return [
        locale,
        { subject: rendered.subject.split(NAME), text: piecesOf(rendered.text), html: piecesOf(rendered.html) },
      ];
    }),
  );

  return ({ eventId, locale, to, date, token, ...input }) => {
    // The API accepts no control characters; a name written to the database by other means must not break lines either.
    const userName = input.userName.toWellFormed().replace(/\p{Cc}+/gu, " ");
    const template = templates.get(locale);
    if (template === undefined) throw new Error(`there is no ${kind} mail in ${locale}`);
    const messageId = `<${eventId}.${kind}@${domain}>`;
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
      part("text/plain", filled(template.text, userName, token)),
      part("text/html", filled(template.html, escapedName(userName), token)),
      `--${BOUNDARY}--`,
      "",
    ];
    return { messageId, raw: Buffer.from(lines.join("\r\n")) };
  };
};
