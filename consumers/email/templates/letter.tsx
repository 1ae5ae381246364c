import { html } from "hono/html";
import type { Locale } from "../../../stream/events/user-signed-up.ts";

/** The texts of a mail in one language, for HTML and plain text. `name` is filled in per mail. */
export interface LetterWords {
  readonly subject: (name: string, brand: string) => string;
  /** One paragraph each, before the link. */
  readonly paragraphs: readonly string[];
  /** The words of the link. */
  readonly action: string;
  /** Why the recipient gets this mail. */
  readonly why: (brand: string) => string;
}

export interface TemplateInput {
  readonly locale: Locale;
  readonly name: string;
  readonly brandName: string;
  /** Where the button leads. */
  readonly link: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * A user's name in HTML: escaped by the template engine, and isolated by `<bdi>`, so that a right-to-left name does not
 * reorder the sentence around it.
 */
export const escapedName = (name: string): string => String(html`<bdi>${name}</bdi>`);

const STYLE = `
  :root { color-scheme: light dark; supported-color-schemes: light dark; }
  @media (prefers-color-scheme: dark) {
    .page { background: #16181d !important; }
    .card { background: #20232a !important; color: #e8e8ea !important; }
    .quiet { color: #a6a8ad !important; }
  }`;

const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";

const LetterPage = ({ words, input }: { readonly words: LetterWords; readonly input: TemplateInput }) => {
  const { locale, name, brandName, link } = input;
  const subject = words.subject(name, brandName);
  return (
    <html lang={locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>{brandName}</title>
        <style>{STYLE}</style>
      </head>
      <body class="page" style={`margin:0;padding:24px 12px;background:#f4f4f6;${font}`}>
        <main
          class="card"
          style="max-width:520px;margin:0 auto;padding:32px 28px;background:#ffffff;color:#1c1d21;border-radius:12px;line-height:1.55;font-size:16px;"
        >
          <h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;overflow-wrap:anywhere;">{subject}</h1>
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
            {words.why(brandName)}
          </p>
        </main>
      </body>
    </html>
  );
};

/** Renders a mail with one link. The engine escapes every value in the HTML. */
export const renderLetter = (words: LetterWords, input: TemplateInput): RenderedMail => {
  const subject = words.subject(input.name, input.brandName);
  const text = [subject, ...words.paragraphs, `${words.action}: ${input.link}`, `-- \n${words.why(input.brandName)}`];
  return {
    subject,
    text: `${text.join("\n\n")}\n`,
    html: `<!doctype html>\n${String(<LetterPage words={words} input={input} />)}\n`,
  };
};
