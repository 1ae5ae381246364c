import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { z } from "zod";
import { startChild } from "../local/child.ts";
import { failedToStart } from "../runtime/process.ts";
import { aVisitor, startBrowser } from "./browser.ts";
import { provideChromium } from "./chromium.ts";
import { eventually } from "./eventually.ts";

const root = join(import.meta.dir, "..");
const DATA = join(root, ".local", "screenshots");
const PICTURES = join(root, "docs", "pictures");
const START_TIMEOUT_MS = 120_000;
/** Of this system alone, which is gone when the pictures are made. */
const CONSOLE_TOKEN = "for-the-pictures-alone-0123456789abcdef";
const PERSON = { name: "Hoa", email: "hoa@example.com", password: "correct horse battery staple" };

const CROWD = 120;

const addressesSchema = z.object({ api: z.url(), inbox: z.url() });

/** The whole system on this machine, as `bun run start` runs it. */
const startSystem = async () => {
  const child = startChild({
    command: [process.execPath, "local/main.ts", "--data", DATA, "--fresh"],
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", CONSOLE_TOKEN },
    onLine: console.log,
    deathSignal: "TERM",
  });
  const file = join(DATA, "addresses.json");
  let isOver = false;
  void child.exited.then(() => {
    isOver = true;
  });
  await eventually(() => isOver || existsSync(file), START_TIMEOUT_MS);
  if (isOver) throw new Error(`the system did not start: ${child.lastLines()}`);
  const addresses = addressesSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return { ...addresses, [Symbol.asyncDispose]: () => child.stop("SIGTERM", START_TIMEOUT_MS) };
};

/** So that the console has something to show. */
const signUpMany = async (api: string): Promise<void> => {
  for (let at = 0; at < CROWD; at += 1) {
    const body = { user_name: `hoa-${at}`, email: `hoa-${at}@inbox.example`, password: PERSON.password };
    const answer = await fetch(`${api}/api/v1/user/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`a signup was refused: ${await answer.text()}`);
  }
};

const picture = (page: Page, name: string): Promise<unknown> =>
  page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled" });

/** `bun run screenshots`: signs up as a person would, and keeps what they see for the README. */
const main = async (): Promise<number> => {
  if (!provideChromium(["tests/signup-page.test.ts"])) return 1;
  mkdirSync(PICTURES, { recursive: true });
  await using system = await startSystem();
  await using browser = await startBrowser();
  const look = { locale: "en-GB", viewport: { width: 1280, height: 850 }, reducedMotion: "reduce" } as const;
  await using visitor = await aVisitor(browser, look);
  const { page } = visitor;

  await page.goto(`${system.api}/?lang=en`);
  await page.locator("#user_name").fill(PERSON.name);
  await page.locator("#email").fill(PERSON.email);
  await page.locator("#password").fill(PERSON.password);
  await picture(page, "signup");
  await page.locator("button[type=submit]").click();

  await page.setViewportSize({ width: 560, height: 850 });
  await page.locator(".postmark").waitFor();
  await picture(page, "status");

  await page.setViewportSize(look.viewport);
  await page.goto(system.inbox);
  await page.locator(".list a").first().click();
  await page.frameLocator("iframe").getByText(PERSON.name).waitFor();
  await picture(page, "mail");

  await signUpMany(system.api);
  const console = await page.goto(`${system.api}/console`);
  if (console?.ok()) {
    await page.locator("#name").fill("mai");
    await page.locator("#token").fill(CONSOLE_TOKEN);
    await page.locator("button[type=submit]").first().click();
    await page.locator("#token").waitFor({ state: "detached" });
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByText(`${CROWD + 1} mails in the last hour`).waitFor();
    await picture(page, "console");
  }
  return 0;
};

process.exitCode = await main().catch(failedToStart);
