import type { Child, FC } from "hono/jsx";
import type { ParsedMail } from "mailparser";
import type { CaughtMail } from "./mailbox.ts";

/** A line of the list. */
export interface MailSummary {
  readonly id: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  readonly receivedAt: string;
  readonly size: number;
}

export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1d21; --quiet: #63666d; --page: #f4f4f6; --card: #fff; --line: #dcdde1; --link: #1f4fd8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --quiet: #a3a5ab; --page: #16181d; --card: #20232a; --line: #363a43; --link: #8fb0ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
a { color: var(--link); }
ul { list-style: none; margin: 0; padding: 0; background: var(--card); border-radius: .6rem; border: 1px solid var(--line); }
li + li { border-top: 1px solid var(--line); }
li a { display: block; padding: .7rem 1rem; text-decoration: none; color: inherit; }
li a:hover, li a:focus-visible { background: var(--page); }
.subject { display: block; font-weight: 600; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-size: .87rem; }
iframe { width: 100%; height: 27rem; border: 1px solid var(--line); border-radius: .6rem; background: #fff; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 0 1rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
`;

const Page: FC<{ title: string; refresh?: boolean; children?: Child }> = ({ title, refresh = false, children }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width,initial-scale=1" />
      {refresh ? <meta http-equiv="refresh" content="2" /> : null}
      <title>{title}</title>
      <link rel="stylesheet" href="/style.css" />
    </head>
    <body>
      <main>{children}</main>
    </body>
  </html>
);

export const InboxPage: FC<{ mails: readonly MailSummary[]; total: number }> = ({ mails, total }) => (
  <Page title={`Inbox (${total})`} refresh>
    <h1>Inbox</h1>
    <p class="quiet">
      {total === 0 ? "No mail yet. Sign up, and it will come." : `${total} mails caught on this machine, newest first.`}
    </p>
    {mails.length === 0 ? null : (
      <ul>
        {mails.map((mail) => (
          <li>
            <a href={`/mails/${mail.id}`}>
              <span class="subject">{mail.subject || "(no subject)"}</span>
              <span class="quiet">
                to {mail.to.join(", ")} at {mail.receivedAt.slice(11, 19)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    )}
  </Page>
);

export const MailPage: FC<{ mail: CaughtMail; parsed: ParsedMail }> = ({ mail, parsed }) => (
  <Page title={parsed.subject ?? "Mail"}>
    <p>
      <a href="/">Inbox</a>
    </p>
    <h1>{parsed.subject ?? "(no subject)"}</h1>
    <dl>
      <dt>From</dt>
      <dd>{parsed.from?.text ?? mail.from}</dd>
      <dt>To</dt>
      <dd>{mail.to.join(", ")}</dd>
      <dt>Received</dt>
      <dd>{mail.receivedAt}</dd>
      <dt>Message-ID</dt>
      <dd>{parsed.messageId ?? ""}</dd>
    </dl>
    {/* Without `allow-scripts`, and under a policy of its own: what a mail brings along stays in its frame. */}
    <iframe title="The mail as HTML" src={`/mails/${mail.id}/html`} sandbox="" />
    <h2>Text</h2>
    <pre>{parsed.text ?? ""}</pre>
    <p>
      <a href={`/mails/${mail.id}/raw`}>Raw source</a>
    </p>
  </Page>
);
