import { join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromiumAdvice, findChromium } from "./chromium.ts";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // What it keeps ready for a person's next window or click, in a process each; and, as Playwright does, no trial of HTTPS first.
  "--disable-features=PreloadTopChromeWebUI,WebUIOmniboxPopup,SpareRendererForSitePerProcess,HttpsUpgrades,Translate,MediaRouter",
];
/** Chromium's own sandbox refuses to run as root. */
const ROOT_FLAGS = ["--no-sandbox"];

/** A browser, with its requests and errors. */
export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  /** URLs of all requests. */
  readonly requested: readonly string[];
  /** Errors of scripts and of the console, refusals by a content security policy included. */
  readonly errors: readonly string[];
}

/** Starts Chromium, without a window. */
export const startBrowser = async (): Promise<Browser> => {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(chromiumAdvice());
  return chromium.launch({
    executablePath,
    args: [...FLAGS, ...(process.getuid?.() === 0 ? ROOT_FLAGS : [])],
    // Its handlers would keep a signal from ending the tests.
    handleSIGTERM: false,
    handleSIGINT: false,
    handleSIGHUP: false,
  });
};

const follow = async (context: BrowserContext): Promise<Visitor> => {
  const requested: string[] = [];
  const errors: string[] = [];
  context.on("request", (request) => requested.push(request.url()));
  context.on("weberror", ({ error }) => errors.push(String(error())));
  context.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const page = await context.newPage();
  return { page, requested, errors, [Symbol.asyncDispose]: () => context.close() };
};

/** A visitor with a profile of their own; as narrow as a small telephone by default. */
export const aVisitor = async (browser: Browser, options: BrowserContextOptions): Promise<Visitor> =>
  follow(await browser.newContext({ viewport: { width: 360, height: 740 }, ...options }));

/** Whether something of the page can be reached only by scrolling sideways, once its style is there. */
export const scrollsSideways = async (page: Page): Promise<boolean> => {
  // A click is done when the next page has begun: asked then, a browser lays it out without its style.
  await page.waitForLoadState();
  return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
};

const runAxe = (options: string): string =>
  `axe.run(${options}).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`;
/** By night nothing is different but the colours. */
const SCHEMES = { light: runAxe(""), dark: runAxe('{ runOnly: ["color-contrast"] }') };

/** The rules of axe that a page breaks, each with where: as it looks by day and by night. */
export const accessibilityFaults = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source);
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    faults.push(...(await page.evaluate<string[]>(SCHEMES[colorScheme])).map((fault) => `${colorScheme} ${fault}`));
  }
  return faults;
};

/** Where `SCREENSHOTS` names a folder: what the page looks like now, for a person's eyes. */
export const show = async (page: Page, name: string): Promise<void> => {
  const folder = process.env["SCREENSHOTS"];
  if (!folder) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), fullPage: true });
  }
};

/** The id of the element that has the focus; empty if it has none. */
export const focusedId = (page: Page): Promise<string> => page.evaluate<string>("document.activeElement?.id ?? ''");
