import { raw } from "hono/html";
import type { Child, FC } from "hono/jsx";
import type { ParsedMail } from "mailparser";
import { MARK_HREF, markSvg } from "../../runtime/brand/mark.ts";
import { linksOf } from "./links.ts";
import type { CaughtMail } from "./mailbox.ts";
import { headersOf, type MailSummary } from "./summary.ts";

const REFRESH_EVERY_S = 2;

/** In this machine's time zone, which is also the reader's. */
const clockTime = (iso: string): string => new Date(iso).toTimeString().slice(0, 8);

const Time: FC<{ iso: string }> = ({ iso }) => (
  <time datetime={iso} class="quiet">
    {clockTime(iso)}
  </time>
);

const Page: FC<{ title: string; query?: string; isLive?: boolean; children?: Child }> = (props) => {
  const { title, query = "", isLive = false, children } = props;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        {isLive ? (
          <noscript>
            <meta http-equiv="refresh" content={String(REFRESH_EVERY_S)} />
          </noscript>
        ) : null}
        <title>{title}</title>
        <link rel="icon" href={MARK_HREF} />
        <link rel="stylesheet" href="/style.css" />
        {isLive ? <script type="module" src="/live.js"></script> : null}
      </head>
      <body>
        <header>
          <a class="brand" href="/">
            {raw(markSvg())}
            Inbox
          </a>
          <search>
            <form class="search" action="/">
              <input
                type="search"
                name="q"
                value={query}
                placeholder="Subject or address"
                aria-label="Search by subject or address"
              />
              <button type="submit">Search</button>
            </form>
          </search>
        </header>
        <main>{children}</main>
      </body>
    </html>
  );
};

export interface InboxPageProps {
  /** Newest first. */
  readonly mails: readonly MailSummary[];
  /** How many were found, of which `mails` are the newest. */
  readonly found: number;
  readonly total: number;
  /** What was searched for; empty: everything. */
  readonly query: string;
}

const countOf = (count: number): string => `${count} ${count === 1 ? "mail" : "mails"}`;

const summaryLine = ({ mails, found, total, query }: InboxPageProps): string => {
  const caught =
    query === "" ? `${countOf(total)} caught on this machine` : `${countOf(found)} of ${total} with “${query}”`;
  return mails.length < found ? `${caught}; the last ${mails.length} are shown.` : `${caught}, newest first.`;
};

/** The mails, newest first. It updates itself. */
export const InboxPage: FC<InboxPageProps> = (props) => {
  const { mails, total, query } = props;
  return (
    <Page title={`Inbox (${total})`} query={query} isLive>
      <h1>Mails</h1>
      <div id="mails">
        {total === 0 ? (
          <p class="empty">No mail yet. Sign up to receive one.</p>
        ) : (
          <>
            <div class="bar">
              <p class="quiet">{summaryLine(props)}</p>
              <form method="post" action="/delete">
                <button class="bad" type="submit">
                  Delete all
                </button>
              </form>
            </div>
            <ul class="list">
              {mails.map((mail) => (
                <li>
                  <a href={`/mails/${mail.id}`}>
                    <span class="subject">{mail.subject || "(no subject)"}</span>
                    <Time iso={mail.receivedAt} />
                    <span class="quiet">to {mail.to.join(", ")}</span>
                  </a>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Page>
  );
};

export const VIEWS = ["html", "text", "links", "headers", "source"] as const;
export type View = (typeof VIEWS)[number];

const LABELS: Readonly<Record<View, string>> = {
  html: "HTML",
  text: "Text",
  links: "Links",
  headers: "Headers",
  source: "Source",
};

export interface MailPageProps {
  readonly mail: CaughtMail;
  readonly parsed: ParsedMail;
  readonly source: string;
  readonly view: View;
}

const Panel: FC<MailPageProps> = ({ mail, parsed, source, view }) => {
  if (view === "html") {
    // Without `allow-scripts` and under its own policy: the content of a mail stays in its frame.
    return (
      <iframe
        title="The mail as HTML"
        src={`/mails/${mail.id}/html`}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
      />
    );
  }
  if (view === "links") {
    const links = linksOf(parsed);
    return (
      <ul>
        {links.length === 0 ? <li>It has no links.</li> : null}
        {links.map((link) => (
          <li>
            <a href={link} target="_blank" rel="noopener noreferrer">
              {link}
            </a>
          </li>
        ))}
      </ul>
    );
  }
  if (view === "text") return <pre tabindex={0}>{parsed.text ?? ""}</pre>;
  return <pre tabindex={0}>{view === "headers" ? headersOf(source) : source}</pre>;
};

/** One mail in one of its views. */
export const MailPage: FC<MailPageProps> = (props) => {
  const { mail, parsed, view } = props;
  return (
    <Page title={parsed.subject || "Mail"}>
      <div class="bar">
        <a href="/">All mails</a>
        <span class="bar">
          <a class="tool" href={`/mails/${mail.id}/raw`} download={`mail-${mail.id}.eml`}>
            Download
          </a>
          <form method="post" action={`/mails/${mail.id}/delete`}>
            <button class="bad" type="submit">
              Delete
            </button>
          </form>
        </span>
      </div>
      <h1>{parsed.subject || "(no subject)"}</h1>
      <dl>
        <dt>From</dt>
        <dd>{parsed.from?.text ?? mail.from}</dd>
        <dt>To</dt>
        <dd>{mail.to.join(", ")}</dd>
        <dt>Received</dt>
        <dd>
          <Time iso={mail.receivedAt} />
        </dd>
      </dl>
      <nav aria-label="Views of the mail">
        {VIEWS.map((each) => (
          <a href={`/mails/${mail.id}?view=${each}`} aria-current={each === view ? "page" : undefined}>
            {LABELS[each]}
          </a>
        ))}
      </nav>
      <div class="panel">
        <Panel {...props} />
      </div>
    </Page>
  );
};
