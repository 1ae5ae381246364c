import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { STATE_TEXTS } from "../../api/pages/state-texts.ts";
import { aVisitor, focusedId, startBrowser } from "../browser.ts";
import { eventually } from "../eventually.ts";
import { aSystem, type RunningProcess, type System } from "../processes.ts";

/** More than the page has to go through. */
const MOST_TABS = 10;

let browser: Browser;
let system: System;
let api: RunningProcess;

beforeAll(async () => {
  system = await aSystem({ settings: { PUBLIC_URL: "http://signup.example" } });
  [browser, api] = await Promise.all([startBrowser(), system.api(), system.consumer({}, "welcome-email")]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await system?.[Symbol.asyncDispose]();
});

const tabTo = async (page: Page, id: string): Promise<void> => {
  for (let tabs = 0; tabs < MOST_TABS && (await focusedId(page)) !== id; tabs += 1) await page.keyboard.press("Tab");
  expect(await focusedId(page)).toBe(id);
};

test.each(["vi", "en"] as const)(
  "by keyboard alone, without JavaScript, in %s: to the first fault, and to the mail's state",
  async (locale) => {
    await using visitor = await aVisitor(browser, { javaScriptEnabled: false });
    const { page } = visitor;
    const { keyboard } = page;
    await page.goto(`${api.url}/?lang=${locale}`);
    await tabTo(page, "user_name");
    await keyboard.type(`Keyboard ${locale}`);
    await tabTo(page, "email");
    await keyboard.type(`keys-${locale}@inbox.example`);
    await tabTo(page, "password");
    await keyboard.type("short");
    await keyboard.press("Enter");
    await page.locator("#password-fault").waitFor();
    await eventually(async () => (await focusedId(page)) === "password");
    await keyboard.type("correct horse battery staple");
    await keyboard.press("Enter");
    await page.waitForURL(new RegExp(`/signups/[\\w-]+\\?lang=${locale}$`));
    await page.getByText(STATE_TEXTS.open[locale].states.sent).waitFor();
  },
  120_000,
);
