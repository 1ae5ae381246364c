import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { CONFIRMATION_TEXTS } from "../api/pages/confirmation-texts.ts";
import { aVisitor, scrollsSideways, show, startBrowser, type Visitor } from "./browser.ts";
import { eventually } from "./eventually.ts";
import { parseMail } from "./mail-server.ts";
import { aSystem, type RunningProcess, type System, signUpAt } from "./processes.ts";

let browser: Browser;
let system: System;
let api: RunningProcess;

beforeAll(async () => {
  system = await aSystem();
  [browser, api] = await Promise.all([startBrowser(), system.api()]);
}, 30_000);
afterAll(async () => {
  await browser?.close();
  await system?.[Symbol.asyncDispose]();
});

const PASSWORD = "correct horse battery staple";

const fillIn = async (page: Page, name: string, email: string, password: string): Promise<void> => {
  await page.getByRole("textbox", { name: /^(Tên người dùng|User name)$/ }).fill(name);
  await page.getByRole("textbox", { name: "Email" }).fill(email);
  await page.getByLabel(/^(Mật khẩu|Password)$/).fill(password);
  await page.getByRole("button").click();
};

/** What a page may never do. */
const expectWellBehaved = ({ requested, errors }: Visitor): void => {
  expect(requested.filter((url) => !url.startsWith(`${api.url}/`) && !url.startsWith("data:"))).toEqual([]);
  expect(errors).toEqual([]);
};

test("a person signs up without JavaScript, and sees the state of the mail", async () => {
  await using visitor = await aVisitor(browser, { locale: "vi-VN", javaScriptEnabled: false });
  const { page } = visitor;
  await page.goto(api.url);
  expect(await page.locator("html").getAttribute("lang")).toBe("vi");
  expect(await scrollsSideways(page)).toBe(false);
  await show(page, "form");
  await fillIn(page, `<b>Bố</b> "x"`, "bo@inbox.example", PASSWORD);

  await page.waitForURL(/\/signups\/[\w-]+\?lang=vi$/);
  await page.getByText("Thư chào mừng đang chờ được gửi.").waitFor();
  expect(await scrollsSideways(page)).toBe(false);
  await show(page, "queued");

  await system.consumer();
  await page.getByText("Thư chào mừng đã được gửi.").waitFor();
  expect(await page.getByRole("listitem").allInnerTexts()).toEqual([
    expect.stringContaining("Đang chờ"),
    expect.stringContaining("Đang gửi"),
    expect.stringContaining("Đã gửi"),
  ]);
  expect(await scrollsSideways(page)).toBe(false);
  await show(page, "sent");
  expectWellBehaved(visitor);

  const { text } = await parseMail(system.mailServer.taken[0]?.raw ?? "");
  expect(text).toContain(`<b>Bố</b> "x"`);
  // On a busy machine a browser's first page alone takes its time.
}, 60_000);

test("errors are shown at their fields, and input is kept, except the password", async () => {
  await using visitor = await aVisitor(browser, { locale: "vi-VN", javaScriptEnabled: false });
  const { page } = visitor;
  const name = `<b>Bố</b> "y" ${"dài".repeat(20)}`;
  await page.goto(api.url);
  await fillIn(page, name, "bo-2@inbox.example", "short");

  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("textbox", { name: "Tên người dùng" }).inputValue()).toBe(name);
  expect(await page.getByRole("textbox", { name: "Email" }).inputValue()).toBe("bo-2@inbox.example");
  const password = page.getByLabel("Mật khẩu");
  expect(await password.inputValue()).toBe("");
  expect(await password.getAttribute("aria-invalid")).toBe("true");
  expect(await password.getAttribute("aria-describedby")).toBe("password-hint password-fault");
  expect(await page.locator("#password-fault").isVisible()).toBe(true);
  expect(await page.locator("#user_name-fault").isVisible()).toBe(true);
  expect(await page.locator("#email-fault").count()).toBe(0);
  expect(await scrollsSideways(page)).toBe(false);
  await show(page, "faults");

  await fillIn(page, "Bố", "bo-2@inbox.example", PASSWORD);
  await page.waitForURL(/\/signups\//);
  await page.goto(api.url);
  await fillIn(page, "Bố khác", "BO-2@inbox.example", PASSWORD);
  await page.locator("#email-fault").waitFor();
  expect(await page.getByRole("textbox", { name: "Tên người dùng" }).inputValue()).toBe("Bố khác");
});

test("is in English for a browser that prefers it", async () => {
  await using visitor = await aVisitor(browser, { locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const { page } = visitor;
  await page.goto(api.url);
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  expect(await page.getByRole("heading").textContent()).toBe("Create your account");
  await show(page, "english-wide");
  await page.getByRole("link", { name: "Tiếng Việt" }).click();
  expect(await page.locator("html").getAttribute("lang")).toBe("vi");
  expectWellBehaved(visitor);
});

test("a person asks for another link, and confirms the address by its button, in either language", async () => {
  await system.consumer({}, "welcome-email");
  await using visitor = await aVisitor(browser, { javaScriptEnabled: false });
  const { page } = visitor;
  const heading = page.getByRole("heading");
  for (const locale of ["vi", "en"] as const) {
    const { states, submit, resent } = CONFIRMATION_TEXTS[locale];
    const email = `ana-${locale}@inbox.example`;
    await signUpAt(api, { locale, email });

    await page.goto(`${api.url}/resend?lang=${locale}`);
    expect(await scrollsSideways(page)).toBe(false);
    await show(page, `resend-${locale}`);
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
    expect(await heading.textContent()).toBe(states.open.title);
    expect(await scrollsSideways(page)).toBe(false);
    await show(page, `confirm-${locale}`);
    await page.getByRole("button", { name: submit }).click();
    await page.getByText(states.confirmed.text).waitFor();
    await page.goto(address);
    expect(await heading.textContent()).toBe(states.confirmed_before.title);
    expect(await page.getByRole("button").count()).toBe(0);
  }
  expectWellBehaved(visitor);
}, 60_000);

// Until the policy of the pages no longer replaces that of /docs (api/app.ts): it forbids the page's own script.
test("/docs shows the operations, from its own files alone", async () => {
  await using visitor = await aVisitor(browser, { viewport: { width: 1280, height: 800 } });
  const { page } = visitor;
  await page.goto(`${api.url}/docs`);
  await eventually(async () => visitor.errors.length > 0 || (await page.locator(".opblock").count()) > 0);
  expectWellBehaved(visitor);
  const paths = await page.locator(".opblock-summary-path").allInnerTexts();
  expect(paths.join("\n").replaceAll("\u200b", "")).toContain("/api/v1/user/");
  expect(paths.length).toBeGreaterThan(3);
  await show(page, "docs");
});
