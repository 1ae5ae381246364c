import { html, raw } from "hono/html";
import { DARK, LIGHT } from "../../../runtime/brand/palette.ts";
import type { Locale } from "../../../stream/events/user-signed-up.ts";

/** The texts of a mail in one language, for HTML and plain text. None of them has a word of the user's. */
export interface LetterWords {
  /** The heading, too. */
  readonly subject: (brand: string) => string;
  /** What an inbox shows beside the subject. */
  readonly preheader: string;
  /** One paragraph each, after the greeting and before the link. */
  readonly paragraphs: readonly string[];
  /** The words of the link. */
  readonly action: string;
  /** Why the recipient gets this mail. */
  readonly why: (brand: string) => string;
  /** The words of the link for somebody who did not sign up; there is none if not given. */
  readonly notMe?: string;
}

export interface TemplateInput {
  readonly locale: Locale;
  /** The line of the greeting. */
  readonly greeting: string;
  readonly brandName: string;
  /** Where the button leads. */
  readonly link: string;
  /** Where somebody goes who did not ask for the mail. */
  readonly notMeLink: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const HELLO: Readonly<Record<Locale, { readonly named: string; readonly neutral: string }>> = {
  vi: { named: "Chào", neutral: "Chào bạn," },
  en: { named: "Hello", neutral: "Hello," },
};

/** The greeting in plain text; neutral without a name. */
export const greetingOf = (locale: Locale, name: string | undefined): string =>
  name === undefined ? HELLO[locale].neutral : `${HELLO[locale].named} ${name},`;

/**
 * The same in HTML: the name is escaped by the template engine, and isolated by `<bdi>`, so that a right-to-left name does not
 * reorder the sentence around it.
 */
export const greetingHtml = (locale: Locale, name: string | undefined): string =>
  name === undefined ? HELLO[locale].neutral : String(html`${HELLO[locale].named} <bdi>${name}</bdi>,`);

/** Programs that know of dark mode take these; the others show the light colours, which are inlined. */
const STYLE = [
  ":root{color-scheme:light dark;supported-color-schemes:light dark}",
  "@media(max-width:480px){.b{padding:24px 20px!important}}",
  "@media(prefers-color-scheme:dark){",
  `.p{background:${DARK.page}!important}.c{background:${DARK.card}!important}`,
  `.t{color:${DARK.ink}!important}.q{color:${DARK.soft}!important}`,
  `.k{background:${DARK.accent}!important;color:${DARK["on-accent"]}!important}}`,
].join("");

const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
const INK = `color:${LIGHT.ink};`;
const QUIET = `color:${LIGHT.soft};`;

/** Fills the preview of an inbox, which would go on with the body otherwise, and so with the name. */
const FILLER = "&nbsp;&zwnj;".repeat(40);

/** Outlook for Windows renders by Word, which knows no `max-width`: it gets a table as wide as the letter. */
const FOR_OUTLOOK = {
  open: '<!--[if mso]><table role="presentation" width="560" align="center"><tr><td><![endif]-->',
  close: "<!--[if mso]></td></tr></table><![endif]-->",
} as const;

/** Tables that lay out and say nothing. Attributes for programs that drop styles. */
const LAYOUT = { role: "presentation", cellpadding: "0", cellspacing: "0", border: 0 } as const;

/** The edge of an airmail letter, as the pages have it: in cells, because no gradient is safe in a mail. */
const Edge = () => (
  <table {...LAYOUT} width="100%">
    <tr>
      {["accent", "sun", "accent", "sun", "accent", "sun"].map((colour) => (
        <td height="6" bgcolor={LIGHT[colour === "sun" ? "sun" : "accent"]} style="font-size:0;line-height:6px;">
          {raw("&nbsp;")}
        </td>
      ))}
    </tr>
  </table>
);

/** Name and mark, which is drawn with a character: pictures are not shown before somebody allows it. */
const Brand = ({ brandName }: { readonly brandName: string }) => (
  <table {...LAYOUT}>
    <tr>
      <td
        width="32"
        height="32"
        align="center"
        bgcolor={LIGHT.accent}
        aria-hidden="true"
        style={`border-radius:9px;color:${LIGHT.sun};font-size:20px;line-height:32px;`}
      >
        {raw("&#x2713;")}
      </td>
      <td class="t" style={`padding-left:10px;font-size:18px;font-weight:700;${INK}`}>
        {brandName}
      </td>
    </tr>
  </table>
);

/** A link that is a button wherever it is read: its colour is that of the cell, so that no style is needed for it. */
const Button = ({ href, children }: { readonly href: string; readonly children: string }) => (
  <table {...LAYOUT} style="margin:24px 0 8px;">
    <tr>
      <td class="k" bgcolor={LIGHT.accent} style="border-radius:10px;mso-padding-alt:14px 28px;">
        <a
          class="k"
          href={href}
          style={`display:inline-block;padding:14px 28px;border-radius:10px;color:${LIGHT["on-accent"]};font-weight:700;text-decoration:none;`}
        >
          {children}
        </a>
      </td>
    </tr>
  </table>
);

const LetterPage = ({ words, input }: { readonly words: LetterWords; readonly input: TemplateInput }) => {
  const { locale, greeting, brandName, link, notMeLink } = input;
  return (
    <html lang={locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no" />
        <title>{brandName}</title>
        <style>{raw(STYLE)}</style>
      </head>
      <body class="p" style={`margin:0;background:${LIGHT.page};${FONT}`}>
        <div style="display:none;max-height:0;overflow:hidden;mso-hide:all;" aria-hidden="true">
          {words.preheader} {raw(FILLER)}
        </div>
        <table {...LAYOUT} class="p" width="100%" bgcolor={LIGHT.page}>
          <tr>
            <td align="center" style={`padding:24px 12px;${FONT}`}>
              {raw(FOR_OUTLOOK.open)}
              <table
                {...LAYOUT}
                class="c"
                width="100%"
                bgcolor={LIGHT.card}
                style="max-width:560px;border-radius:14px;overflow:hidden;text-align:left;"
              >
                <tr>
                  <td>
                    <Edge />
                  </td>
                </tr>
                <tr>
                  <td class="b t" style={`padding:32px 36px;font-size:16px;line-height:1.6;${INK}`}>
                    <Brand brandName={brandName} />
                    <h1 style="margin:24px 0 16px;font-size:25px;line-height:1.25;letter-spacing:-.02em;overflow-wrap:anywhere;">
                      {words.subject(brandName)}
                    </h1>
                    <p style="margin:0 0 12px;overflow-wrap:anywhere;">{greeting}</p>
                    {words.paragraphs.map((text) => (
                      <p style="margin:0 0 12px;">{text}</p>
                    ))}
                    <Button href={link}>{words.action}</Button>
                  </td>
                </tr>
              </table>
              {raw(FOR_OUTLOOK.close)}
              <p class="q" style={`max-width:520px;margin:20px auto 0;font-size:13px;line-height:1.5;${QUIET}`}>
                {words.why(brandName)}{" "}
                {words.notMe === undefined ? null : (
                  <a class="q" href={notMeLink} style={QUIET}>
                    {words.notMe}
                  </a>
                )}
              </p>
            </td>
          </tr>
        </table>
      </body>
    </html>
  );
};

/** Renders a mail with its two links. The engine escapes every value in the HTML. */
export const renderLetter = (words: LetterWords, input: TemplateInput): RenderedMail => {
  const subject = words.subject(input.brandName);
  const text = [
    subject,
    words.preheader,
    input.greeting,
    ...words.paragraphs,
    `${words.action}: ${input.link}`,
    `-- \n${words.why(input.brandName)}`,
    ...(words.notMe === undefined ? [] : [`${words.notMe}: ${input.notMeLink}`]),
  ];
  return {
    subject,
    text: `${text.join("\n\n")}\n`,
    html: `<!doctype html>\n${String(<LetterPage words={words} input={input} />)}\n`,
  };
};
