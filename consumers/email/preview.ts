import type { Locale } from "../../stream/events/user-signed-up.ts";
import { wireAddress } from "./headers.ts";
import { confirmationLink, notMeLink } from "./links.ts";
import { MAILS, type MailKind } from "./mails.ts";
import { createMessageBuilder, type MessageOptions } from "./message.ts";
import { shownName } from "./shown-name.ts";
import { greetingHtml, greetingOf, type RenderedMail, renderLetter } from "./templates/letter.tsx";

/*
 * Mails as they are sent, to be looked at: the one file of the consumers that operators' programs import. It is pure.
 */

export const MAIL_KINDS: readonly MailKind[] = ["welcome", "confirmation", "reminder", "notice"];
export type { MailKind, RenderedMail };

/** As long as a token of a link, which is a line of its own; it opens nothing. */
const SAMPLE_TOKEN = "preview".padEnd(72, "-");

/** Which mail, in which language, to a user of which name. */
export interface MailSample {
  readonly kind: MailKind;
  readonly locale: Locale;
  readonly userName: string;
}

/** Renders a mail: subject, HTML and plain text. Its links open nothing. */
export const renderSample = (
  { kind, locale, userName }: MailSample,
  { brandName, publicUrl }: Pick<MessageOptions, "brandName" | "publicUrl">,
): RenderedMail => {
  const { words, link = confirmationLink } = MAILS[kind];
  const name = shownName(userName);
  const places = {
    locale,
    brandName,
    link: link(publicUrl, locale, SAMPLE_TOKEN),
    notMeLink: notMeLink(publicUrl, locale, SAMPLE_TOKEN),
  };
  const { subject, text } = renderLetter(words[locale], { ...places, greeting: greetingOf(locale, name) });
  const mark = "\uE000";
  const { html } = renderLetter(words[locale], { ...places, greeting: mark });
  return { subject, text, html: html.replaceAll(mark, () => greetingHtml(locale, name)) };
};

/** The message as it would go to an address, byte for byte but for its links; undefined: mail cannot be sent to that address. */
export const composeSample = (
  { kind, locale, userName }: MailSample,
  options: Omit<MessageOptions, "kind" | "words" | "link">,
  { to, eventId, date }: { readonly to: string; readonly eventId: string; readonly date: Date },
): { readonly to: string; readonly raw: Buffer } | undefined => {
  const address = wireAddress(to);
  if (address.kind !== "address") return undefined;
  const build = createMessageBuilder({ ...options, ...MAILS[kind] });
  const tokens = { token: SAMPLE_TOKEN, notMeToken: SAMPLE_TOKEN };
  const { raw } = build({ eventId, locale, userName, to: address.address, date, ...tokens });
  return { to: address.address, raw };
};
