import { html, raw } from "hono/html";
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

const STYLE = `
  :root { color-scheme: light dark; supported-color-schemes: light dark; }
  @media (prefers-color-scheme: dark) {
    .page { background: #16181d !important; }
    .card { background: #20232a !important; color: #e8e8ea !important; }
    .quiet { color: #a6a8ad !important; }
  }`;

const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";

/** Fills the preview of an inbox, which would go on with the body otherwise, and so with the name. */
const FILLER = "&nbsp;&zwnj;".repeat(40);

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
        <style>{STYLE}</style>
      </head>
      <body class="page" style={`margin:0;padding:24px 12px;background:#f4f4f6;${font}`}>
        <div style="display:none;max-height:0;overflow:hidden;mso-hide:all;" aria-hidden="true">
          {words.preheader} {raw(FILLER)}
        </div>
        <main
          class="card"
          style="max-width:520px;margin:0 auto;padding:32px 28px;background:#ffffff;color:#1c1d21;border-radius:12px;line-height:1.55;font-size:16px;"
        >
          <h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;overflow-wrap:anywhere;">
            {words.subject(brandName)}
          </h1>
          <p style="margin:0 0 12px;overflow-wrap:anywhere;">{greeting}</p>
          {words.paragraphs.map((text) => (
            <p style="margin:0 0 12px;">{text}</p>
          ))}
          <p style="margin:24px 0 28px;">
            <a
              href={link}
              style="display:inline-block;padding:12px 22px;background:#1f4fd8;color:#ffffff;text-decoration:none;border-radius:8px;"
            >
              {words.action}
            </a>
          </p>
          <p class="quiet" style="margin:0;color:#61646b;font-size:13px;">
            {words.why(brandName)}{" "}
            {words.notMe === undefined ? null : (
              <a class="quiet" href={notMeLink} style="color:#61646b;">
                {words.notMe}
              </a>
            )}
          </p>
        </main>
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
