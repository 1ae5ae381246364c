import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { STATE_TEXTS } from "../../api/pages/state-texts.ts";
import { aVisitor, focusedId } from "../browser.ts";
import { eventually } from "../eventually.ts";
import { type SignupPages, startSignupPages } from "../signup-pages.ts";

/** More than the page has to go through. */
const MOST_TABS = 10;

let pages: SignupPages;

beforeAll(async () => {
  pages = await startSignupPages();
}, 60_000);
afterAll(() => pages?.[Symbol.asyncDispose]());

const tabTo = async (page: Page, id: string): Promise<void> => {
  for (let tabs = 0; tabs < MOST_TABS && (await focusedId(page)) !== id; tabs += 1) await page.keyboard.press("Tab");
  expect(await focusedId(page)).toBe(id);
};

test.each(["vi", "en"] as const)(
  "by keyboard alone, without JavaScript, in %s: to the first fault, and to the mail's state",
  async (locale) => {
    await using visitor = await aVisitor(pages.browser, { javaScriptEnabled: false });
    const { page } = visitor;
    const { keyboard } = page;
    await page.goto(`${pages.api.url}/?lang=${locale}`);
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
