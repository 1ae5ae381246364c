import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { CONFIRMATION_TEXTS } from "../api/pages/confirmation-texts.ts";
import { STATE_TEXTS } from "../api/pages/state-texts.ts";
import { TEXTS } from "../api/pages/texts.ts";
import { WELCOME } from "../consumers/email/templates/welcome.ts";
import { openMailbox } from "../local/inbox/mailbox.ts";
import { createInboxApp } from "../local/inbox/server.tsx";
import { accessibilityFaults, aVisitor, focusedId, scrollsSideways, show, type Visitor } from "./browser.ts";
import { eventually } from "./eventually.ts";
import { parseMail } from "./mail-server.ts";
import { type RunningProcess, type System, signUpAt } from "./processes.ts";
import { type SignupPages, startSignupPages } from "./signup-pages.ts";

let pages: SignupPages;
let browser: Browser;
let system: System;
let api: RunningProcess;

beforeAll(async () => {
  pages = await startSignupPages();
  ({ browser, system, api } = pages);
});
afterAll(() => pages?.[Symbol.asyncDispose]());

const PASSWORD = "correct horse battery staple";
const WITHOUT_SCRIPTS: BrowserContextOptions = { locale: "vi-VN", javaScriptEnabled: false };
const DESKTOP = { width: 1280, height: 800 };

const fillIn = async (page: Page, name: string, email: string, password: string): Promise<void> => {
  await page.locator("#user_name").fill(name);
  await page.locator("#email").fill(email);
  await page.locator("#password").fill(password);
  await page.locator("button[type=submit]").click();
};

/** What no page may do, at any width, whether scripts run or not. */
const expectWellBehaved = async ({ page, requested, errors }: Visitor, name: string): Promise<void> => {
  expect(requested.filter((url) => !url.startsWith(`${api.url}/`) && !url.startsWith("data:"))).toEqual([]);
  // Chromium reports a faulty form, which is answered 422, as an error of its console.
  expect(errors.filter((error) => !error.includes("status of 422"))).toEqual([]);
  expect([name, await scrollsSideways(page)]).toEqual([name, false]);
  await show(page, name);
};

/** Of a page that a script may look at: nothing that axe finds, by day and by night. */
const expectAccessible = async (page: Page, name: string): Promise<void> => {
  expect([name, await accessibilityFaults(page)]).toEqual([name, []]);
};

test.concurrent("a person signs up without JavaScript, and sees the state of the mail", async () => {
  await using visitor = await aVisitor(browser, WITHOUT_SCRIPTS);
  const { page } = visitor;
  await page.goto(api.url);
  expect(await page.locator("html").getAttribute("lang")).toBe("vi");
  expect(await page.getByRole("button").allInnerTexts()).toEqual([TEXTS.vi.submit]);
  await expectWellBehaved(visitor, "form");
  await fillIn(page, `<b>Bố</b> "x"`, "bo@inbox.example", PASSWORD);

  await page.waitForURL(/\/signups\/[\w-]+\?lang=vi$/);
  await page.getByText("b***@inbox.example").waitFor();
  await page.getByText(STATE_TEXTS.open.vi.states.sent).waitFor();
  expect(await page.locator("#steps li").allInnerTexts()).toEqual([
    expect.stringContaining("Đã nhận đăng ký"),
    expect.stringMatching(/^Đang gửi\s+sau [\d,]+ (?:giây|ms)$/),
    expect.stringMatching(/^Đã gửi\s+sau [\d,]+ (?:giây|ms)$/),
  ]);
  expect(await page.locator(".postmark").count()).toBe(1);
  await expectWellBehaved(visitor, "sent");
  const taken = system.mailServer.taken.find(({ to }) => to.includes("bo@inbox.example"));
  const { text } = await parseMail(taken?.raw ?? "");
  expect(text).toContain(`<b>Bố</b> "x"`);
});

test.concurrent("errors are shown at their fields, the first has the focus, and input is kept, except the password", async () => {
  await using visitor = await aVisitor(browser, WITHOUT_SCRIPTS);
  const { page } = visitor;
  const name = `<b>Bố</b> "y" ${"dài".repeat(20)}`;
  await page.goto(api.url);
  await fillIn(page, name, "bo-2@inbox.example", "short");

  await page.getByRole("alert").waitFor();
  expect(await page.title()).toStartWith("Lỗi: ");
  expect(await page.locator("#user_name").inputValue()).toBe(name);
  expect(await page.locator("#email").inputValue()).toBe("bo-2@inbox.example");
  const password = page.locator("#password");
  expect(await password.inputValue()).toBe("");
  expect(await password.getAttribute("aria-invalid")).toBe("true");
  expect(await password.getAttribute("aria-describedby")).toBe("password-hint password-fault");
  expect(await page.locator("#password-fault").isVisible()).toBe(true);
  expect(await page.locator("#user_name-fault").isVisible()).toBe(true);
  expect(await page.locator("#email-fault").count()).toBe(0);
  await eventually(async () => (await focusedId(page)) === "user_name");
  await expectWellBehaved(visitor, "faults");

  await fillIn(page, "Bố", "bo-2@inbox.example", PASSWORD);
  await page.waitForURL(/\/signups\//);
  await page.goto(api.url);
  await fillIn(page, "Bố khác", "BO-2@inbox.example", PASSWORD);
  await page.locator("#email-fault").waitFor();
  expect(await page.locator("#user_name").inputValue()).toBe("Bố khác");
});

test.concurrent("a person asks for another link, and confirms the address by its button, in either language", async () => {
  const inLanguage = async (locale: "vi" | "en"): Promise<void> => {
    await using visitor = await aVisitor(browser, { viewport: { width: 360, height: 740 } });
    const { page } = visitor;
    const { states, submit, resent } = CONFIRMATION_TEXTS[locale];
    const email = `ana-${locale}@inbox.example`;
    await signUpAt(api, { locale, email });

    await page.goto(`${api.url}/resend?lang=${locale}`);
    if (locale === "vi") await expectAccessible(page, "resend");
    await expectWellBehaved(visitor, `resend-${locale}`);
    await page.getByRole("textbox").fill(email);
    await page.getByRole("button").click();
    await page.getByText(resent.title).waitFor();
    const mails = () => system.mailServer.taken.filter(({ to }) => to.includes(email));
    await eventually(() => mails().length === 2);

    const { text = "" } = await parseMail(mails()[1]?.raw ?? "");
    const link = new URL(/https?:\S+\/confirm\?\S+/.exec(text)?.[0] ?? "");
    const address = `${api.url}${link.pathname}${link.search}`;
    await page.goto(address);
    expect(await page.locator("html").getAttribute("lang")).toBe(locale);
    expect(await page.getByRole("heading").textContent()).toBe(states.open.title);
    if (locale === "vi") await expectAccessible(page, "confirm");
    await expectWellBehaved(visitor, `confirm-${locale}`);
    await page.getByRole("button", { name: submit }).click();
    await page.getByText(states.confirmed.text).waitFor();
    await page.goto(address);
    expect(await page.getByRole("heading").textContent()).toBe(states.confirmed_before.title);
    expect(await page.getByRole("button").count()).toBe(0);
    if (locale === "vi") return;
    const notMe = new URL(/https?:\S+\/not-me\?\S+/.exec(text)?.[0] ?? "");
    const others = [`${notMe.pathname}${notMe.search}`, "/problems/too_busy?lang=en", "/nowhere?lang=en", "/docs"];
    for (const path of others) {
      await page.goto(`${api.url}${path}`);
      await expectAccessible(page, path.slice(1, 9));
      await show(page, `other-${path.slice(1, 5)}`);
    }
  };
  await Promise.all([inLanguage("vi"), inLanguage("en")]);
});

test.concurrent("the inbox shows a mail as it arrives, and each of its parts", async () => {
  const directory = mkdtempSync(join(tmpdir(), "inbox-"));
  const mailbox = openMailbox(directory);
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: createInboxApp(mailbox).fetch, idleTimeout: 0 });
  await using visitor = await aVisitor(browser, {});
  const { page, errors } = visitor;
  await page.goto(server.url.href);
  await page.getByText("No mail yet").waitFor();
  const { raw } = await eventually(() => system.mailServer.taken.find(({ to }) => to.includes("bo@inbox.example")));
  mailbox.add({ from: "welcome@toblug.example", to: ["bo@inbox.example"], raw });
  await page.getByRole("link", { name: /Toblug/ }).waitFor();
  await expectAccessible(page, "inbox");
  await show(page, "inbox");
  await page.getByRole("link", { name: /Toblug/ }).click();
  await page.frameLocator("iframe").getByRole("link", { name: WELCOME.vi.action }).waitFor();
  for (const view of ["Text", "Links", "Headers", "Source"]) {
    await page.getByRole("link", { name: view }).click();
    await page.waitForURL(`**/mails/*?view=${view.toLowerCase()}`);
    expect([view, await scrollsSideways(page)]).toEqual([view, false]);
  }
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("No mail yet").waitFor();
  expect(errors).toEqual([]);
  rmSync(directory, { recursive: true });
});

test.concurrent("/docs shows the operations, without JavaScript and at any width", async () => {
  for (const width of [360, 1280]) {
    await using visitor = await aVisitor(browser, { viewport: { width, height: 800 }, javaScriptEnabled: false });
    const { page } = visitor;
    await page.goto(`${api.url}/docs`);
    await page.getByRole("link", { name: "Sign up; a welcome mail follows" }).click();
    // Of all that is folded the link has opened this one.
    const operation = page.getByRole("region", { name: "Sign up; a welcome mail follows" });
    expect(await operation.getByRole("heading", { name: "Answers" }).isVisible()).toBe(true);
    expect(await page.getByRole("heading", { name: "Answers" }).count()).toBe(1);
    expect(await scrollsSideways(page)).toBe(false);
    await expectWellBehaved(visitor, `docs-${width}`);
  }
});

// Alone: it stops the consumer, so that there is a state to wait in.
test("by keyboard alone, with scripts: checks while one types, and a page that follows the mail", async () => {
  const options = { locale: "en-GB", viewport: DESKTOP, timezoneId: "Asia/Tokyo" };
  await using visitor = await aVisitor(browser, options);
  const { page } = visitor;
  const { keyboard } = page;
  await system.endConsumers();
  await page.goto(api.url);
  await expectAccessible(page, "form");
  // Past the mark and the other language.
  for (const _ of ["mark", "language", "user_name"]) await keyboard.press("Tab");
  expect(await focusedId(page)).toBe("user_name");
  await keyboard.type("Ana");
  await keyboard.press("Tab");
  await keyboard.type("ana@gmial.com");
  await keyboard.press("Tab");
  await page.getByRole("button", { name: "ana@gmail.com" }).waitFor();
  await keyboard.press("Shift+Tab");
  await keyboard.press("Enter");
  expect(await page.locator("#email").inputValue()).toBe("ana@gmail.com");
  for (const _ of ["show", "password"]) await keyboard.press("Tab");
  await keyboard.type("123456789012");
  expect(await page.locator(".rules .met").allInnerTexts()).toEqual([
    TEXTS.en.rules.length,
    TEXTS.en.rules.password_personal,
  ]);
  await keyboard.press("Enter");
  await page.locator("#password-fault").waitFor();
  expect([await focusedId(page), await page.title()]).toEqual(["password", "Error: Create your account · Toblug"]);
  await expectAccessible(page, "faulty form");
  await keyboard.press("Control+A");
  await keyboard.type(PASSWORD);
  await keyboard.press("Shift+Tab");
  await keyboard.press("Enter");
  expect(await page.locator("#password").getAttribute("type")).toBe("text");
  await keyboard.press("Tab");
  await keyboard.press("Enter");

  await page.waitForURL(/\/signups\/[\w-]+\?lang=en$/);
  await page.getByText(STATE_TEXTS.open.en.states.queued).waitFor();
  await page.getByText(/^On its way for \d+(\.\d)? s$/).waitFor();
  await system.consumer({}, "welcome-email");
  await page.getByText(STATE_TEXTS.open.en.states.sent).waitFor();
  await page.getByText(/^\d+(\.\d)? s ago$/).waitFor();
  await page.getByText("a***@gmail.com").waitFor();
  // All times are the reader's own, the postmark's too.
  const sentAt = (await page.locator(".postmark").getAttribute("data-at")) ?? "";
  const inTokyo = new Date(sentAt).toLocaleTimeString("en-GB", { timeZone: "Asia/Tokyo", timeStyle: "short" });
  expect(await page.locator(".postmark text").last().textContent()).toBe(inTokyo);
  expect(await page.getByRole("link", { name: "Open Gmail" }).getAttribute("href")).toBe(
    "https://mail.google.com/mail/",
  );
  await page.getByText(TEXTS.en.resendSoon).waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  await expectAccessible(page, "status on a phone");
  await expectWellBehaved(visitor, "status");
  await page.getByRole("link", { name: "Tiếng Việt" }).click();
  expect(await page.locator("html").getAttribute("lang")).toBe("vi");
});

test("an EventSource is sent each state once, and ends after the final one", async () => {
  await using visitor = await aVisitor(browser, { bypassCSP: true });
  const { eventId } = await signUpAt(api);
  await system.consumer();
  await visitor.page.goto(api.url);
  const seen = await visitor.page.evaluate(
    (path) =>
      new Promise<{ readonly id: string; readonly state: string }[]>((resolve) => {
        const events: { id: string; state: string }[] = [];
        const source = new EventSource(path);
        source.addEventListener("status", ({ lastEventId, data }) => {
          events.push({ id: lastEventId, state: JSON.parse(data).state });
        });
        // It connects again when a stream ends, unless the answer is 204.
        source.addEventListener("error", () => {
          if (source.readyState === EventSource.CLOSED) resolve(events);
        });
      }),
    `/api/v1/events/${eventId}/stream`,
  );
  expect(seen.at(-1)?.state).toBe("sent");
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
});
