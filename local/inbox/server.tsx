import { type Context, Hono } from "hono";
import { simpleParser } from "mailparser";
import type { CaughtMail, Mailbox } from "./mailbox.ts";
import { ownHostOnly } from "./own-host.ts";
import { InboxPage, MailPage } from "./pages.tsx";
import { STYLE } from "./style.ts";
import { createSummaries } from "./summary.ts";

/** Maximum number of mails on the page; the JSON lists all. */
const LISTED = 200;
const POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** A mail may use its own styles; nothing is fetched, no script runs, and links open outside the frame. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox";

const bytesOf = (mail: CaughtMail): Buffer => Buffer.from(mail.raw, "latin1");

const asText = (c: Context, mail: CaughtMail) =>
  c.body(new Uint8Array(bytesOf(mail)), 200, { "Content-Type": "text/plain; charset=utf-8" });

/** The pages and the JSON of the inbox. */
export const createInboxApp = (mailbox: Mailbox): Hono => {
  const app = new Hono();
  const summaryOf = createSummaries();
  const newestFirst = (most: number) => Promise.all(mailbox.all().slice(-most).reverse().map(summaryOf));
  const found = (id: string): CaughtMail | undefined => mailbox.find(Number(id));

  app.use(ownHostOnly());
  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer");
    c.header("Cache-Control", "no-store");
    if (!c.res.headers.has("Content-Security-Policy")) c.header("Content-Security-Policy", POLICY);
  });
  app.get("/", async (c) => c.html(<InboxPage mails={await newestFirst(LISTED)} total={mailbox.all().length} />));
  app.get("/style.css", (c) => c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/mails/:id", async (c) => {
    const mail = found(c.req.param("id"));
    if (mail === undefined) return c.notFound();
    return c.html(
      <MailPage mail={mail} parsed={await simpleParser(bytesOf(mail))} source={bytesOf(mail).toString()} />,
    );
  });
  app.get("/mails/:id/html", async (c) => {
    const mail = found(c.req.param("id"));
    if (mail === undefined) return c.notFound();
    const { html } = await simpleParser(bytesOf(mail));
    c.header("Content-Security-Policy", MAIL_POLICY);
    return c.html(`<base target="_blank">${html || "<p>This mail has no HTML part.</p>"}`);
  });
  app.get("/mails/:id/raw", (c) => {
    const mail = found(c.req.param("id"));
    return mail === undefined ? c.notFound() : asText(c, mail);
  });
  app.get("/api/messages", async (c) => c.json(await newestFirst(Number.POSITIVE_INFINITY)));
  app.get("/api/messages/:id/raw", (c) => {
    const mail = found(c.req.param("id"));
    return mail === undefined ? c.json({ error: "no such mail" }, 404) : asText(c, mail);
  });
  app.delete("/api/messages", (c) => {
    mailbox.clear();
    return c.body(null, 204);
  });
  return app;
};
