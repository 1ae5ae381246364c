import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Locator, Page } from "playwright-core";
import { TOKENS } from "../../api/console/console-for-tests.ts";
import { asDatabaseRole } from "../../local/postgres.ts";
import { asRedisUser } from "../../local/redis.ts";
import { accessibilityFaults, aVisitor, scrollsSideways, show, startBrowser } from "../browser.ts";
import { eventually } from "../eventually.ts";
import { refusal, startMailServer } from "../mail-server.ts";
import { aSystem, eventAt, type RunningProcess, type System, signUpAt } from "../processes.ts";

/** More than any page has to go through. */
const MOST_TABS = 60;

let browser: Browser;
let system: System;
let api: RunningProcess;
/** Whether the mail server says of every address that it does not exist. */
let isConfused = false;

beforeAll(async () => {
  const mailServer = await startMailServer({
    onRcptTo: (_address, _session, done) => done(isConfused ? refusal(550, "5.1.1 no such user") : undefined),
  });
  system = await aSystem({ mailServer });
  const { REDIS_URL = "" } = system.environment;
  browser = await startBrowser();
  api = await system.api({
    CONSOLE_TOKEN: TOKENS.operator,
    CONSOLE_READ_TOKEN: TOKENS.reader,
    CONSOLE_DATABASE_URL: asDatabaseRole(system.database.url, "signup_ops"),
    CONSOLE_REDIS_URL: asRedisUser(REDIS_URL, "ops"),
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await system?.[Symbol.asyncDispose]();
});

const enter = async (page: Page): Promise<void> => {
  await page.goto(`${api.url}/console`);
  await page.getByLabel("Your name").fill("lan");
  await page.getByLabel("Token").fill(TOKENS.operator);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Deliveries" }).waitFor();
};

const look = async (page: Page, name: string, withScripts = true): Promise<void> => {
  expect(await scrollsSideways(page)).toBe(false);
  await show(page, name);
  // Its scripts are not the page's: without JavaScript it cannot look.
  if (withScripts) expect([name, await accessibilityFaults(page)]).toEqual([name, []]);
  const size = page.viewportSize();
  await page.setViewportSize({ width: 1280, height: 800 });
  await show(page, `${name}-wide`);
  if (size !== null) await page.setViewportSize(size);
};

const confirm = async (page: Page, button: RegExp): Promise<void> => {
  await page.getByRole("button", { name: button }).click();
  await page.getByText("done", { exact: true }).waitFor();
};

test("a mail server that calls every address unknown: its dead mails are lifted and retried, without JavaScript", async () => {
  isConfused = true;
  const consumer = await system.consumer();
  const signups = await Promise.all(Array.from({ length: 7 }, () => signUpAt(api)));
  const areAll = (state: string) => async () =>
    (await Promise.all(signups.map(({ eventId }) => eventAt(api, eventId)))).every((event) => event.state === state);
  await eventually(areAll("dead"), 90_000);
  isConfused = false;

  await using visitor = await aVisitor(browser, { javaScriptEnabled: false });
  const { page, errors } = visitor;
  await enter(page);
  await page.getByRole("link", { name: "Deliveries" }).click();
  await page.getByText("7 of welcome-email").waitFor();
  await look(page, "deliveries", false);
  await page.getByLabel("all of this filter").check();
  await page.getByRole("button", { name: "Retry …" }).click();
  await page.getByText("7 stay as they are: their address is suppressed").waitFor();
  await look(page, "preview-suppressed", false);

  await page.getByRole("link", { name: "Lift the suppressions" }).click();
  await look(page, "suppressions", false);
  await page.getByRole("button", { name: "Lift all of them …" }).click();
  await page.getByRole("button", { name: "Lift 7" }).click();
  await page.getByText("No address is suppressed.").waitFor();

  await page.getByRole("link", { name: "Deliveries" }).click();
  await page.getByLabel("all of this filter").check();
  await page.getByRole("button", { name: "Retry …" }).click();
  await page.getByText("7 are queued for their consumers").waitFor();
  await confirm(page, /^Retry 7$/);
  await look(page, "job", false);
  await eventually(areAll("sent"), 30_000);
  expect(errors).toEqual([]);
  consumer.kill("SIGTERM");
  await consumer.exited;
}, 180_000);

test("what waits is held, discarded in part, and the rest released and sent", async () => {
  const signups = await Promise.all(Array.from({ length: 3 }, () => signUpAt(api)));
  await using visitor = await aVisitor(browser, {});
  const { page } = visitor;
  await enter(page);
  await page.goto(`${api.url}/console/deliveries?state=queued&group=welcome-email`);
  await page.getByLabel("all of this filter").check();
  await page.getByRole("button", { name: "Hold …" }).click();
  await confirm(page, /^Hold 3$/);
  await system.consumer();

  await page.goto(`${api.url}/console/deliveries?state=held`);
  await page.getByRole("checkbox", { name: new RegExp(signups[0]?.eventId ?? "none") }).check();
  await look(page, "held");
  await page.getByRole("button", { name: "Discard …" }).click();
  await look(page, "preview");
  await confirm(page, /^Discard 1$/);
  await look(page, "discarded");
  await page.goto(`${api.url}/console/deliveries?state=held`);
  await page.getByLabel("all of this filter").check();
  await page.getByRole("button", { name: "Release …" }).click();
  await confirm(page, /^Release 2$/);
  const [discarded, ...released] = signups;
  await eventually(async () =>
    (await Promise.all(released.map(({ eventId }) => eventAt(api, eventId)))).every(({ state }) => state === "sent"),
  );
  expect((await eventAt(api, discarded?.eventId ?? "")).state).toBe("dead");

  for (const [path, name] of [
    ["/console/deliveries?state=done", "done"],
    ["/console/deliveries/jobs", "jobs"],
    ["/console/act", "act"],
    ["/console/act/suppressions", "no-suppressions"],
    ["/console/act/mails", "mails"],
  ] as const) {
    await page.goto(`${api.url}${path}`);
    await look(page, name);
  }
  await page.goto(`${api.url}/console/act/mails/welcome/en`);
  await look(page, "mail");
  await page.getByLabel("Your own address").fill("me@inbox.example");
  await page.getByRole("button", { name: "Send it to me" }).click();
  await page.getByText("The mail server took it").waitFor();
}, 120_000);

/** Goes by Tab to what is wanted, as somebody without a mouse does, and presses Enter. */
const press = async (page: Page, wanted: Locator): Promise<void> => {
  await wanted.waitFor();
  const isFocused = () => wanted.evaluate((element) => element === document.activeElement);
  for (let tabs = 0; tabs < MOST_TABS && !(await isFocused()); tabs += 1) await page.keyboard.press("Tab");
  expect(await isFocused()).toBe(true);
  await page.keyboard.press("Enter");
};

const goTo = async (page: Page, letter: string, heading: string | RegExp): Promise<void> => {
  await page.keyboard.press("g");
  await page.keyboard.press(letter);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
};

const retryAllDead = async (page: Page): Promise<void> => {
  await goTo(page, "d", /^Deliveries/);
  await page.getByLabel("the chosen ones").focus();
  await page.keyboard.press("ArrowRight");
  expect(await page.getByLabel("all of this filter").isChecked()).toBe(true);
  await press(page, page.getByRole("button", { name: "Retry …" }));
  await page.getByText("Nothing was changed yet").waitFor();
};

// The last one: it stops the mail server of the others.
test("by keyboard alone: a mail server is down, a group is paused and resumed, and a wrong refusal is mended", async () => {
  isConfused = false;
  await system.endConsumers();
  await system.consumer();
  const { port } = system.mailServer;
  await system.mailServer.close();
  const signups = await Promise.all(Array.from({ length: 5 }, () => signUpAt(api)));
  const areSent = async () =>
    (await Promise.all(signups.map(({ eventId }) => eventAt(api, eventId)))).every(({ state }) => state === "sent");

  await using visitor = await aVisitor(browser, { viewport: { width: 1280, height: 860 } });
  const { page, errors } = visitor;
  const { keyboard } = page;
  await page.goto(`${api.url}/console`);
  await page.locator("#name:focus").waitFor();
  await keyboard.type("lan");
  await keyboard.press("Tab");
  await keyboard.type(TOKENS.operator);
  await keyboard.press("Enter");
  await page.getByText(/^Mail server .* since .* none is lost; (the )?next probe/).waitFor({ timeout: 60_000 });
  await look(page, "outage");

  await goTo(page, "c", "Act");
  await press(page, page.getByRole("button", { name: "Pause welcome-email" }));
  await page.getByRole("button", { name: "Resume welcome-email" }).waitFor();
  await using back = await startMailServer({
    listenOn: port,
    onRcptTo: (_address, _session, done) => done(isConfused ? refusal(550, "5.1.1 no such user") : undefined),
  });
  expect(await areSent()).toBe(false);
  await press(page, page.getByRole("button", { name: "Resume welcome-email" }));
  await eventually(areSent, 60_000);
  expect(signups.map(({ eventId }) => back.copiesOf(eventId))).toEqual(signups.map(() => 1));
  await goTo(page, "n", "Now");
  await page.getByText(/^All is well/).waitFor({ timeout: 30_000 });

  isConfused = true;
  const { eventId } = await signUpAt(api);
  await eventually(async () => (await eventAt(api, eventId)).state === "dead", 90_000);
  isConfused = false;
  await goTo(page, "d", /^Deliveries/);
  await page.getByRole("link", { name: eventId }).waitFor();
  await keyboard.press("j");
  await keyboard.press("Enter");
  await page.getByText("5.1.1 no such user").waitFor();
  await retryAllDead(page);
  await press(page, page.getByRole("link", { name: "Lift the suppressions" }));
  await press(page, page.getByRole("button", { name: /^Lift .*@/ }).first());
  await page.getByText("No address is suppressed.").waitFor();
  await retryAllDead(page);
  await press(page, page.getByRole("button", { name: /^Retry \d/ }));
  await page.getByText("done", { exact: true }).waitFor();
  await eventually(async () => (await eventAt(api, eventId)).state === "sent", 60_000);

  await keyboard.press("/");
  await page.locator("[data-find]:focus").waitFor();
  await keyboard.type(eventId);
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Journey" }).waitFor();
  await press(page, page.getByRole("button", { name: "Sign out" }));
  await page.getByLabel("Token").waitFor();
  expect(errors).toEqual([]);
}, 300_000);
