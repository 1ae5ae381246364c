import { html } from "hono/html";
import type { Locale } from "../../../stream/events/user-signed-up.ts";

/** The texts of the mail in one language, for HTML and plain text. `name` is filled in per mail. */
interface Words {
  readonly subject: (name: string, brand: string) => string;
  readonly thanks: string;
  readonly next: string;
  readonly action: string;
  readonly why: (brand: string) => string;
}

const WORDS: Readonly<Record<Locale, Words>> = {
  vi: {
    subject: (name, brand) => `Chào mừng ${name} đến với ${brand}!`,
    thanks: "Cảm ơn bạn đã đăng ký tài khoản.",
    next: "Tài khoản của bạn đã sẵn sàng, bạn có thể bắt đầu sử dụng ngay.",
    action: "Bắt đầu",
    why: (brand) =>
      `Bạn nhận được thư này vì địa chỉ email của bạn vừa được dùng để đăng ký tài khoản ${brand}. Đây là thư tự động, vui lòng không trả lời.`,
  },
  en: {
    subject: (name, brand) => `Welcome to ${brand}, ${name}!`,
    thanks: "Thank you for signing up.",
    next: "Your account is ready. You can start right away.",
    action: "Get started",
    why: (brand) =>
      `You are receiving this email because this address was used to sign up for ${brand}. It was sent automatically; please do not reply.`,
  },
};

export interface TemplateInput {
  readonly locale: Locale;
  readonly name: string;
  readonly brandName: string;
  readonly publicUrl: string;
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

const WelcomePage = ({ locale, name, brandName, publicUrl }: TemplateInput) => {
  const words = WORDS[locale];
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
          <p style="margin:0 0 12px;">{words.thanks}</p>
          <p style="margin:0 0 24px;">{words.next}</p>
          <p style="margin:0 0 28px;">
            <a
              href={publicUrl}
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

/** Renders the mail. The engine escapes every value in the HTML. */
export const renderWelcome = (input: TemplateInput): RenderedMail => {
  const words = WORDS[input.locale];
  const subject = words.subject(input.name, input.brandName);
  const text = [
    subject,
    words.thanks,
    words.next,
    `${words.action}: ${input.publicUrl}`,
    `-- \n${words.why(input.brandName)}`,
  ];
  return {
    subject,
    text: `${text.join("\n\n")}\n`,
    html: `<!doctype html>\n${String(<WelcomePage {...input} />)}\n`,
  };
};
