import type { Child, FC } from "hono/jsx";
import type { ParsedMail } from "mailparser";
import type { CaughtMail } from "./mailbox.ts";
import { headersOf, type MailSummary } from "./summary.ts";

const REFRESH_EVERY_S = 2;

/** In this machine's time zone, which is also the reader's. */
const clockTime = (iso: string): string => new Date(iso).toTimeString().slice(0, 8);

const Page: FC<{ title: string; refresh?: boolean; children?: Child }> = ({ title, refresh = false, children }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width,initial-scale=1" />
      {refresh ? <meta http-equiv="refresh" content={String(REFRESH_EVERY_S)} /> : null}
      <title>{title}</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="/style.css" />
    </head>
    <body>
      <main>{children}</main>
    </body>
  </html>
);

const summaryLine = (shown: number, total: number): string => {
  if (total === 0) return "No mail yet. Sign up to receive one.";
  const caught = `${total} ${total === 1 ? "mail" : "mails"} caught on this machine, newest first`;
  return shown < total ? `${caught}; the last ${shown} are shown.` : `${caught}.`;
};

/** All mails, newest first. It updates itself. */
export const InboxPage: FC<{ mails: readonly MailSummary[]; total: number }> = ({ mails, total }) => (
  <Page title={`Inbox (${total})`} refresh>
    <h1>Inbox</h1>
    <p class="quiet">{summaryLine(mails.length, total)}</p>
    {mails.length === 0 ? null : (
      <ul>
        {mails.map((mail) => (
          <li>
            <a href={`/mails/${mail.id}`}>
              <span class="subject">{mail.subject || "(no subject)"}</span>
              <span class="quiet">
                to {mail.to.join(", ")} at {clockTime(mail.receivedAt)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    )}
  </Page>
);

/** One mail: its HTML, its text and its source. */
export const MailPage: FC<{ mail: CaughtMail; parsed: ParsedMail; source: string }> = ({ mail, parsed, source }) => (
  <Page title={parsed.subject || "Mail"}>
    <p>
      <a href="/">Inbox</a>
    </p>
    <h1>{parsed.subject || "(no subject)"}</h1>
    <dl>
      <dt>From</dt>
      <dd>{parsed.from?.text ?? mail.from}</dd>
      <dt>To</dt>
      <dd>{mail.to.join(", ")}</dd>
      <dt>Received</dt>
      <dd>
        <time datetime={mail.receivedAt}>{clockTime(mail.receivedAt)}</time>
      </dd>
      <dt>Message-ID</dt>
      <dd>{parsed.messageId ?? ""}</dd>
    </dl>
    {/* Without `allow-scripts` and under its own policy: the content of a mail stays in its frame. */}
    <iframe
      title="The mail as HTML"
      src={`/mails/${mail.id}/html`}
      sandbox="allow-popups allow-popups-to-escape-sandbox"
    />
    <h2>Text</h2>
    <pre>{parsed.text ?? ""}</pre>
    <details>
      <summary>Headers</summary>
      <pre>{headersOf(source)}</pre>
    </details>
    <details>
      <summary>Source</summary>
      <pre>{source}</pre>
    </details>
    <p>
      <a href={`/mails/${mail.id}/raw`}>Source as a file</a>
    </p>
  </Page>
);
