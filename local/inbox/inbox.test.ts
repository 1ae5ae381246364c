import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { createTransport } from "nodemailer";
import { type Mailbox, openMailbox } from "./mailbox.ts";
import { createInboxApp } from "./server.tsx";
import { catchMail, type MailCatcher } from "./smtp.ts";

let directory: string;
let mailbox: Mailbox;
let catcher: MailCatcher;
let app: Hono;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "inbox-"));
  mailbox = openMailbox(directory);
  catcher = await catchMail(mailbox, 0);
  app = createInboxApp(mailbox);
});
afterEach(async () => {
  await catcher[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const HOSTILE = `<script>alert("1")</script>`;

const send = async (parts: { readonly subject?: string; readonly raw?: Buffer; readonly login?: boolean } = {}) => {
  const { subject = "Chào mừng bạn", raw, login = false } = parts;
  const auth = login ? { auth: { user: "anybody", pass: "at all" } } : {};
  const transport = createTransport({ host: "127.0.0.1", port: catcher.port, secure: false, ignoreTLS: true, ...auth });
  const envelope = { from: "welcome@toblug.example", to: ["anh@inbox.example"] };
  const content = { from: envelope.from, to: "anh@inbox.example", text: "Chào Ánh", html: `<b>Chào</b>${HOSTILE}` };
  await transport.sendMail(
    raw === undefined ? { ...content, subject, messageId: "<one@toblug.example>" } : { envelope, raw },
  );
  transport.close();
};

const get = async (path: string) => {
  const response = await app.request(path);
  return { status: response.status, body: await response.text(), headers: response.headers };
};

test("accepts a mail and shows it as JSON", async () => {
  await send();

  const messages: unknown = await (await app.request("/api/messages")).json();
  expect(messages).toEqual([
    {
      id: 1,
      from: "welcome@toblug.example",
      to: ["anh@inbox.example"],
      subject: "Chào mừng bạn",
      messageId: "<one@toblug.example>",
      receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      size: expect.any(Number),
    },
  ]);
  const raw = await get("/api/messages/1/raw");
  expect(raw.headers.get("content-type")).toStartWith("text/plain");
  expect(raw.body).toContain("Message-ID: <one@toblug.example>\r\n");
});

test("shows the HTML of a mail and lets none of its scripts and forms act", async () => {
  await send({ subject: `Hi ${HOSTILE}` });

  for (const path of ["/", "/mails/1"]) {
    const page = await get(path);
    expect(page.status).toBe(200);
    expect(page.body).not.toContain("<script>");
    expect(page.body).toContain("Hi &lt;script&gt;");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
  const mail = await get("/mails/1");
  expect(mail.body).toMatch(/<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"/);
  expect((await get("/mails/1?view=text")).body).toContain(">Chào Ánh");
  const frame = await get("/mails/1/html");
  expect(frame.body).toContain("<b>Chào</b>");
  const policy = frame.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("sandbox");
  expect(policy).not.toContain("allow-scripts");
});

test("lists the newest first and keeps every byte of a mail in another charset", async () => {
  const raw = Buffer.from(
    "Subject: latin\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\ncaf\xe9\r\n",
    "latin1",
  );
  await send();
  await send({ raw });

  const page = await get("/");
  expect(page.body.indexOf("latin")).toBeLessThan(page.body.indexOf("Chào mừng bạn"));
  const source = await (await app.request("/api/messages/2/raw")).arrayBuffer();
  expect(Buffer.from(source).toString("latin1")).toContain("caf\xe9");
  expect((await get("/mails/2")).body).toContain(">café");
});

test("accepts a mail from a client that logs in", async () => {
  await send({ login: true });
  expect(mailbox.all()).toHaveLength(1);
});

test("keeps its mails across a restart, also after a truncated last line", async () => {
  await send();
  appendFileSync(join(directory, "mails.jsonl"), '{"id":2,"from":"wel');

  const again = openMailbox(directory);
  again.add({ from: "a@b.example", to: [], raw: "Subject: two\r\n\r\n" });
  expect(
    openMailbox(directory)
      .all()
      .map(({ id }) => id),
  ).toEqual([1, 2]);
});

test("is bounded: the oldest mails are dropped first", () => {
  const small = openMailbox(join(directory, "small"), { maxMails: 3, maxBytes: 1_000 });
  const add = (raw: string) => small.add({ from: "", to: [], raw });
  for (const raw of ["1", "2", "3", "4"]) add(raw);
  expect(small.all().map(({ raw }) => raw)).toEqual(["2", "3", "4"]);

  add("x".repeat(999));
  expect(small.all().map(({ id }) => id)).toEqual([4, 5]);
  const again = openMailbox(join(directory, "small"), { maxMails: 3, maxBytes: 1_000 });
  expect(again.all().map(({ id }) => id)).toEqual([4, 5]);
});

test("deletes all mails on request and answers 404 for a missing one", async () => {
  await send();
  expect((await app.request("/api/messages", { method: "DELETE" })).status).toBe(204);
  expect(await (await app.request("/api/messages")).json()).toEqual([]);
  expect((await get("/")).body).toContain("No mail yet");
  for (const path of ["/api/messages/1/raw", "/mails/1", "/mails/x/html"]) expect((await get(path)).status).toBe(404);
});

test("finds mails by subject and address, in any case and however its letters are composed", async () => {
  await send();
  await send({ subject: "Welcome" });
  const listed = async (query: string) => {
    const { body } = await get(`/?q=${encodeURIComponent(query)}`);
    return [...body.matchAll(/class="subject">([^<]*)</g)].map(([, subject]) => subject);
  };
  expect(await listed("")).toEqual(["Welcome", "Chào mừng bạn"]);
  expect(await listed("MỪNG".normalize("NFD"))).toEqual(["Chào mừng bạn"]);
  expect(await listed("anh@inbox.example welcome")).toEqual(["Welcome", "Chào mừng bạn"]);
  expect(await listed("nothing")).toEqual([]);
});

test("shows a mail as HTML, text, links, headers and source, without a script", async () => {
  const html = '<a href="https://toblug.example/confirm?token=x&amp;lang=vi">x</a><a href="javascript:alert(1)">y</a>';
  const raw = `Subject: s\r\nX-Mine: yes\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n`;
  await send({ raw: Buffer.from(raw) });
  const view = async (name: string) => (await get(`/mails/1?view=${name}`)).body;
  expect(await view("html")).toContain('<a href="/mails/1?view=html" aria-current="page">');
  const links = [...(await view("links")).matchAll(/<li><a href="([^"]*)"/g)].map(([, href]) => href);
  expect(links).toEqual(["https://toblug.example/confirm?token=x&amp;lang=vi"]);
  expect(await view("headers")).toContain("X-Mine: yes");
  expect(await view("headers")).not.toContain("token=x");
  expect(await view("source")).toContain("token=x");
});

test("deletes one mail or all of them by a button", async () => {
  await send();
  await send({ subject: "two" });
  const post = (path: string) => app.request(path, { method: "POST", headers: { origin: "http://localhost" } });
  expect((await post("/mails/1/delete")).headers.get("location")).toBe("/");
  expect(mailbox.all().map(({ id }) => id)).toEqual([2]);
  expect(openMailbox(directory).all()).toHaveLength(1);
  expect((await app.request("/api/messages/2", { method: "DELETE" })).status).toBe(204);
  expect((await app.request("/api/messages/2", { method: "DELETE" })).status).toBe(404);
  await send();
  await post("/delete");
  expect(mailbox.all()).toEqual([]);
});

test("tells an open page of each change, and forgets the page when it is closed", async () => {
  const closing = new AbortController();
  const response = await app.request("/events", { signal: closing.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  await send();
  expect((await reader?.read())?.value).toContain("event: change");
  mailbox.clear();
  expect((await reader?.read())?.value).toContain("event: change");
  await reader?.cancel();
  mailbox.clear();
});

test.each([
  ["localhost:8025", undefined, 200],
  ["127.0.0.1:8025", "http://127.0.0.1:8025", 200],
  ["[::1]:8025", undefined, 200],
  ["192.168.1.7", undefined, 200],
  ["inbox.localhost", undefined, 200],
  ["evil.example", undefined, 421],
  ["localhost.evil.example:8025", undefined, 421],
  ["127.0.0.1.evil.example", undefined, 421],
  ["", undefined, 421],
])("a page that made %p lead here reads nothing", async (host, origin, status) => {
  const headers = { host, ...(origin === undefined ? {} : { origin }) };
  expect((await app.request("/api/messages", { headers })).status).toBe(status);
});

test("another site cannot empty the inbox", async () => {
  const remove = (origin?: string) =>
    app.request("/api/messages", {
      method: "DELETE",
      headers: { host: "localhost:8025", ...(origin === undefined ? {} : { origin }) },
    });
  for (const origin of ["https://evil.example", "null", "http://localhost:9999"]) {
    expect((await remove(origin)).status).toBe(403);
  }
  for (const origin of [undefined, "http://localhost:8025"]) expect((await remove(origin)).status).toBe(204);
});
