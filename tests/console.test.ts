import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { asDatabaseRole } from "../local/postgres.ts";
import { asRedisUser } from "../local/redis.ts";
import { aVisitor, scrollsSideways, show, startBrowser, type Visitor } from "./browser.ts";
import { eventually } from "./eventually.ts";
import { moodyMailServer } from "./least-privilege/main-path.ts";
import { startMailServer } from "./mail-server.ts";
import { aSystem, eventAt, type RunningProcess, type System, signUpAt } from "./processes.ts";

const OPERATOR = "a-token-of-operators-0123";
const READER = "a-token-of-readers-0123456";
const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 860 } };

let browser: Browser;
let system: System;
let api: RunningProcess;
let eventId = "";

beforeAll(async () => {
  system = await aSystem({
    mailServer: await startMailServer(moodyMailServer()),
    settings: { RETRY_GREYLIST_MS: "100" },
  });
  const { DATABASE_URL: database = "", REDIS_URL: redis = "" } = system.environment;
  const settings = {
    PUBLIC_URL: "http://127.0.0.1",
    CONSOLE_TOKEN: OPERATOR,
    CONSOLE_READ_TOKEN: READER,
    CONSOLE_DATABASE_URL: asDatabaseRole(database, "signup_ops"),
    CONSOLE_REDIS_URL: asRedisUser(redis, "ops"),
    GRAFANA_URL: "https://grafana.example",
  };
  [browser, api] = await Promise.all([startBrowser(), system.api(settings), system.consumer()]);
  const dead = await signUpAt(api, { email: "gone@inbox.example" });
  const sent = await signUpAt(api, { email: "later-mai@inbox.example", user_name: "mai" });
  eventId = sent.eventId;
  await eventually(async () => (await eventAt(api, sent.eventId)).state === "sent");
  await eventually(async () => (await eventAt(api, dead.eventId)).state === "dead");
});
afterAll(async () => {
  await browser?.close();
  await system?.[Symbol.asyncDispose]();
});

const signIn = async (page: Page, token: string, path = "/console"): Promise<void> => {
  await page.goto(`${api.url}${path}`);
  await page.getByLabel("Your name").fill("lan");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
};

const someone = async (token: string, options: BrowserContextOptions = DESK): Promise<Visitor> => {
  const visitor = await aVisitor(browser, options);
  await signIn(visitor.page, token);
  await visitor.page.getByRole("heading", { name: "Now" }).waitFor();
  return visitor;
};

const expectWellBehaved = ({ requested, errors }: Visitor): void => {
  expect(requested.filter((url) => !url.startsWith(`${api.url}/`) && !url.startsWith("data:"))).toEqual([]);
  expect(errors).toEqual([]);
};

test("without JavaScript: signed in to where one wanted to go, found by address, never with it in a URL", async () => {
  await using visitor = await aVisitor(browser, { javaScriptEnabled: false });
  const { page, requested } = visitor;
  await signIn(page, "a-wrong-token-0123456789", "/console/find");
  await page.getByRole("alert").getByText("This token is wrong.").waitFor();
  await signIn(page, READER, "/console/find");
  await page.getByLabel(/^Event id/).fill("LATER-mai@inbox.example");
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByRole("heading", { name: "Journey" }).waitFor();

  const text = (await page.locator("main").textContent()) ?? "";
  expect(text).toContain("l***@inbox.example");
  expect(text).toContain("greylisted");
  expect(text).toContain("250 OK: message queued");
  expect(text).toMatch(/welcome-email[\s\S]+sent/);
  expect(text).not.toContain("later-mai");
  expect(requested.join("\n").toLowerCase()).not.toContain("mai@");
  expect(
    await page
      .getByRole("link", { name: /^[0-9a-f]{32}$/ })
      .first()
      .getAttribute("href"),
  ).toStartWith("https://grafana.example/explore?");
  expect(await scrollsSideways(page)).toBe(false);
  await page.getByRole("link", { name: "Audit" }).click();
  await page.getByRole("heading", { name: "Audit" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(`${api.url}/console`);
  await page.getByLabel("Token").waitFor();
});

test("live: a group that is filtered, and what a new signup changes, without a reload", async () => {
  await using visitor = await someone(OPERATOR);
  const { page } = visitor;
  await page.getByText("live", { exact: true }).waitFor();
  const done = page.locator('tr[data-name="welcome-email"] td.number').nth(6);
  const before = Number(await done.textContent());
  await page.keyboard.press("/");
  await page.keyboard.type("welcome");
  expect(await page.locator("table.groups tbody tr:visible").count()).toBe(1);
  await signUpAt(api);
  await eventually(async () => Number(await done.textContent()) > before);
  expect(await page.locator("#filter").evaluate((filter) => filter === document.activeElement)).toBe(true);
  expect(await page.locator("table.groups tbody tr:visible").count()).toBe(1);
  expectWellBehaved(visitor);
});

test("by keyboard alone: through the list to a group, to a section, and what the keys are", async () => {
  await using visitor = await someone(READER);
  const { page } = visitor;
  await page.getByText("live", { exact: true }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const first = page.locator("table.groups tbody tr a").first();
  const name = (await first.textContent()) ?? "";
  expect(await first.evaluate((link) => link === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#keys").waitFor({ state: "hidden" });
  // A page that is shown anew in between has forgotten the first key.
  await eventually(async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("f");
    return page.getByRole("heading", { name: "Find" }).isVisible();
  });
  expectWellBehaved(visitor);
});

test("every page: no scrolling sideways at a desk or on a telephone, nothing refused, nothing from elsewhere", async () => {
  await using visitor = await someone(OPERATOR);
  await using signingIn = await aVisitor(browser, DESK);
  const paths = [
    "/console",
    "/console/groups/welcome-email",
    "/console/find",
    `/console/find/${eventId}`,
    "/console/audit",
    "/console/act",
    "/console/act/replay",
    "/console/act/rate",
    "/console/act/suppressions",
    "/console/act/mails",
    "/console/act/mails/welcome/en",
    "/console/deliveries",
    "/console/deliveries?state=done",
    "/console/deliveries/jobs",
    "/console/session",
  ];
  const look = async ({ page }: Visitor, path: string) => {
    expect([path, (await page.goto(`${api.url}${path}`))?.status()]).toEqual([path, 200]);
    for (const [width, size] of [
      [1_280, "desk"],
      [360, "phone"],
    ] as const) {
      await page.setViewportSize({ width, height: 800 });
      expect([path, size, await scrollsSideways(page)]).toEqual([path, size, false]);
      await show(
        page,
        `${path
          .slice(1)
          .replace(eventId, "journey")
          .replaceAll(/[^a-z]+/g, "-")}-${size}`,
      );
    }
  };
  await look(signingIn, "/console/sign-in");
  for (const path of paths) await look(visitor, path);
  expectWellBehaved(visitor);
});
