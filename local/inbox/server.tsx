import { Hono } from "hono";
import { simpleParser } from "mailparser";
import type { CaughtMail, Mailbox } from "./mailbox.ts";
import { InboxPage, MailPage, type MailSummary, STYLE } from "./pages.tsx";

const LISTED = 200;
const POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";
/** A mail's own styles are part of it; nothing is fetched and nothing runs. */
const MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

const summaryOf = async (mail: CaughtMail): Promise<MailSummary> => {
  const { subject = "", messageId = "" } = await simpleParser(mail.raw, { skipHtmlToText: true, skipTextToHtml: true });
  return {
    id: mail.id,
    from: mail.from,
    to: mail.to,
    subject,
    messageId,
    receivedAt: mail.receivedAt,
    size: mail.raw.length,
  };
};

const newestFirst = (mailbox: Mailbox): Promise<MailSummary[]> =>
  Promise.all(mailbox.all().slice(-LISTED).reverse().map(summaryOf));

/** The pages and the JSON of the inbox. */
export const createInboxApp = (mailbox: Mailbox): Hono => {
  const app = new Hono();
  const found = (id: string): CaughtMail | undefined => mailbox.find(Number(id));

  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    if (!c.res.headers.has("Content-Security-Policy")) c.header("Content-Security-Policy", POLICY);
  });
  app.get("/", async (c) => c.html(<InboxPage mails={await newestFirst(mailbox)} total={mailbox.all().length} />));
  app.get("/style.css", (c) => c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/mails/:id", async (c) => {
    const mail = found(c.req.param("id"));
    return mail === undefined ? c.notFound() : c.html(<MailPage mail={mail} parsed={await simpleParser(mail.raw)} />);
  });
  app.get("/mails/:id/html", async (c) => {
    const mail = found(c.req.param("id"));
    if (mail === undefined) return c.notFound();
    const { html } = await simpleParser(mail.raw);
    c.header("Content-Security-Policy", MAIL_POLICY);
    return c.html(html || "<p>This mail has no HTML part.</p>");
  });
  app.get("/mails/:id/raw", (c) => {
    const mail = found(c.req.param("id"));
    return mail === undefined ? c.notFound() : c.text(mail.raw);
  });
  app.get("/api/messages", async (c) => c.json(await newestFirst(mailbox)));
  app.get("/api/messages/:id/raw", (c) => {
    const mail = found(c.req.param("id"));
    return mail === undefined ? c.json({ error: "no such mail" }, 404) : c.text(mail.raw);
  });
  app.delete("/api/messages", (c) => {
    mailbox.clear();
    return c.body(null, 204);
  });
  return app;
};
