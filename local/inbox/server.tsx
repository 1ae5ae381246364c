import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { simpleParser } from "mailparser";
import { fontFiles } from "../../runtime/brand/fonts.ts";
import type { CaughtMail, Mailbox } from "./mailbox.ts";
import { ownHostOnly } from "./own-host.ts";
import { InboxPage, MailPage, VIEWS } from "./pages.tsx";
import liveScript from "./scripts/inbox.min.js" with { type: "text" };
import { STYLE } from "./style.ts";
import { createSummaries, type MailSummary } from "./summary.ts";

/** Maximum number of mails on the page; the JSON lists all. */
const LISTED = 200;
const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; font-src 'self'; img-src data:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/** A mail may use its own styles; nothing is fetched, no script runs, and links open outside the frame. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox";

const bytesOf = (mail: CaughtMail): Buffer => Buffer.from(mail.raw, "latin1");

const asText = (c: Context, mail: CaughtMail) =>
  c.body(new Uint8Array(bytesOf(mail)), 200, { "Content-Type": "text/plain; charset=utf-8" });

const hasWords = ({ subject, from, to, messageId }: MailSummary, query: string): boolean => {
  const text = [subject, from, ...to, messageId].join("\n").normalize("NFC").toLowerCase();
  return query
    .normalize("NFC")
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
};

/** Says `change` to a page at each change of the mailbox, until the page is closed. */
const followChanges = (c: Context, mailbox: Mailbox): Response =>
  streamSSE(c, async (stream) => {
    const { promise: isClosed, resolve } = Promise.withResolvers<void>();
    const unfollow = mailbox.follow(() => {
      void stream.writeSSE({ event: "change", data: "" });
    });
    stream.onAbort(resolve);
    await isClosed;
    unfollow();
  });

/** The pages and the JSON of the inbox. */
export const createInboxApp = (mailbox: Mailbox): Hono => {
  const app = new Hono();
  const summaryOf = createSummaries();
  const newestFirst = (): Promise<MailSummary[]> => Promise.all(mailbox.all().toReversed().map(summaryOf));
  const found = (id: string): CaughtMail | undefined => mailbox.find(Number(id));
  const fonts = fontFiles();

  app.use(ownHostOnly());
  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "same-origin");
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    if (!c.res.headers.has("Content-Security-Policy")) c.header("Content-Security-Policy", POLICY);
  });
  app.get("/", async (c) => {
    const query = (c.req.query("q") ?? "").trim();
    const all = await newestFirst();
    const matching = query === "" ? all : all.filter((summary) => hasWords(summary, query));
    return c.html(
      <InboxPage mails={matching.slice(0, LISTED)} found={matching.length} total={all.length} query={query} />,
    );
  });
  app.get("/style.css", (c) => c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/live.js", (c) => c.body(liveScript, 200, { "Content-Type": "text/javascript; charset=utf-8" }));
  app.get("/fonts/:name", (c) => {
    const font = fonts.get(c.req.param("name"));
    if (font === undefined) return c.notFound();
    return c.body(font, 200, { "Content-Type": "font/woff2", "Cache-Control": "max-age=3600" });
  });
  app.get("/events", (c) => followChanges(c, mailbox));
  app.post("/delete", (c) => {
    mailbox.clear();
    return c.redirect("/", 303);
  });
  app.get("/mails/:id", async (c) => {
    const mail = found(c.req.param("id"));
    if (mail === undefined) return c.notFound();
    const parsed = await simpleParser(bytesOf(mail));
    const usual = parsed.html === false ? "text" : "html";
    const view = VIEWS.find((each) => each === c.req.query("view")) ?? usual;
    return c.html(<MailPage mail={mail} parsed={parsed} source={bytesOf(mail).toString()} view={view} />);
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
  app.post("/mails/:id/delete", (c) => {
    mailbox.remove(Number(c.req.param("id")));
    return c.redirect("/", 303);
  });
  app.get("/api/messages", async (c) => c.json(await newestFirst()));
  app.get("/api/messages/:id/raw", (c) => {
    const mail = found(c.req.param("id"));
    return mail === undefined ? c.json({ error: "no such mail" }, 404) : asText(c, mail);
  });
  app.delete("/api/messages", (c) => {
    mailbox.clear();
    return c.body(null, 204);
  });
  app.delete("/api/messages/:id", (c) =>
    mailbox.remove(Number(c.req.param("id"))) ? c.body(null, 204) : c.json({ error: "no such mail" }, 404),
  );
  return app;
};
