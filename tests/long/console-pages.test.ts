import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { TEST_SETTINGS } from "../../api/app-for-tests.ts";
import { aConsole, TOKENS } from "../../api/console/console-for-tests.ts";
import { beginJob, endJob, stopJob } from "../../database/jobs.ts";
import { pause, resume } from "../../ops/actions/pause.ts";
import { setRate } from "../../ops/actions/rate.ts";
import { anOperator, deadLetter, GROUP } from "../../ops/operator-for-tests.ts";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import { type Group, WELCOME_EMAIL } from "../../stream/groups.ts";
import { beat } from "../../stream/scripts/beat.ts";
import { accessibilityFaults, aVisitor, scrollsSideways, show, startBrowser } from "../browser.ts";
import { eventually } from "../eventually.ts";
import { aPipeline, aSignup, type Pipeline } from "../pipeline.ts";

const NAMES = [
  "reminder-email",
  ...["crm", "billing", "search", "fraud", "loyalty", "analytics", "warehouse", "partners", "support"].map(
    (name) => `webhook-${name}`,
  ),
  ...Array.from({ length: 9 }, (_, at) => `report-of-region-${at + 1}`),
];
const GROUPS: readonly Group[] = [WELCOME_EMAIL, ...NAMES.map((name) => ({ ...WELCOME_EMAIL, name }))];
const REASONS = ["content_refused", "mailbox_full", "no_such_address", "blocked_by_policy"];
const SETTINGS = {
  ...TEST_SETTINGS,
  PUBLIC_URL: "http://127.0.0.1",
  CONSOLE_TOKEN: TOKENS.operator,
  CONSOLE_READ_TOKEN: TOKENS.reader,
};
const SIZES = [
  [1_280, "desk"],
  [360, "phone"],
] as const;

let browser: Browser;
let pipeline: Pipeline;
let server: ReturnType<typeof Bun.serve>;
let retriedId = "";

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** A consumer whose mail server has refused connections for two minutes. */
const anOutage = (): ConsumerReport => ({
  startedAt: ago(3_600_000),
  state: "reading",
  inFlight: 0,
  kept: 0,
  concurrency: 10,
  breaker: {
    state: "open",
    since: ago(125_000),
    reason: "connection_refused",
    words: "connect ECONNREFUSED 192.0.2.7:587",
    probeInMs: 20_000,
  },
  system: "mail server smtp.example",
  waitingParties: 0,
  faults: {},
});

const beatOf = (group: string, consumer: string, report: ConsumerReport) =>
  beat(pipeline.redis, { keys: pipeline.keys, group, consumer }, report);

/** A sign of life of a consumer of each group: those of mail have an outage. */
const beatAll = async (): Promise<void> => {
  for (const { name } of GROUPS) {
    const isMail = name.endsWith("-email");
    const report: ConsumerReport = { ...anOutage(), breaker: { state: "closed", since: ago(3_600_000) } };
    await beatOf(name, "consumer-0f3a", isMail ? anOutage() : { ...report, system: `receiver ${name}` });
  }
};

const groupsNamed = (...names: readonly string[]): readonly Group[] =>
  GROUPS.filter(({ name }) => names.includes(name));

/** Dead letters of several reasons, a journey with retries, and what is held. */
const makeDeliveries = async (): Promise<void> => {
  const { db } = pipeline;
  for (const [at, reason] of REASONS.entries()) await deadLetter(pipeline, at === 0 ? 101 : 3, reason);
  const consumer = await pipeline.consumer(async () => ({
    kind: "transient",
    reason: "greylisted",
    reply: "451 4.7.1 Greylisted, please try again",
  }));
  [retriedId = ""] = await pipeline.signUp(aSignup());
  await eventually(async () => (await pipeline.status(retriedId))?.state === "dead");
  await consumer.stop();
  await sql`update deliveries set state = 'held', reason = 'unknown_outcome' where group_name = 'reminder-email'`.execute(
    db,
  );
  const event_id = Bun.randomUUIDv7();
  const suppressed = Array.from({ length: 12 }, (_, at) => ({
    email_key: `a-person-with-a-long-name-${at}@mail.a-rather-long-company-name.example`,
    reason: REASONS[at % REASONS.length] ?? "complained",
    event_id,
  }));
  await db.insertInto("suppressions").values(suppressed).execute();
};

/** A job in each of its states. */
const makeJobs = async () => {
  const { db } = pipeline;
  const selection = { kind: "all", groups: [GROUP], state: "dead", reason: "mailbox_full", before: ago(0) } as const;
  const begin = async () => {
    const jobId = Bun.randomUUIDv7();
    await beginJob(db, { jobId, actor: "lan", action: "retry", selection, total: 200_000 });
    return jobId;
  };
  const [running, done, stopped, failed, interrupted] = [
    await begin(),
    await begin(),
    await begin(),
    await begin(),
    await begin(),
  ];
  const outcomes = { queued: 83_400, stays_suppressed: 212 };
  await endJob(db, done, { done: 200_000, outcomes, error: null });
  await stopJob(db, stopped, "an");
  await endJob(db, stopped, { done: 83_612, outcomes, error: null });
  await endJob(db, failed, { done: 83_612, outcomes, error: "connection lost" });
  // Longer than this test, so that it stays so.
  await sql`update jobs set done = 83612, beat_at = now() + interval '1 hour' where job_id = ${running}`.execute(db);
  await sql`update jobs set beat_at = 'epoch' where job_id = ${interrupted}`.execute(db);
  return { running, done, stopped, failed, interrupted };
};
let jobs: Awaited<ReturnType<typeof makeJobs>>;

beforeAll(async () => {
  [browser, pipeline] = await Promise.all([startBrowser(), aPipeline(GROUPS)]);
  const console = aConsole(pipeline, { settings: SETTINGS });
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: console.app.fetch, idleTimeout: 0 });
  await makeDeliveries();
  jobs = await makeJobs();
  const operator = anOperator(pipeline);
  for (const group of groupsNamed("webhook-crm", "report-of-region-3")) await pause(operator, group);
  for (const group of groupsNamed("report-of-region-3")) await resume(operator, group);
  await setRate(operator, WELCOME_EMAIL, 20);
  await beatAll();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop(true);
  await pipeline?.[Symbol.asyncDispose]();
});

/** As it looks on a desk and on a telephone, by day and by night. */
const look = async (page: Page, name: string): Promise<void> => {
  for (const [width, size] of SIZES) {
    await page.setViewportSize({ width, height: 800 });
    expect([name, size, await scrollsSideways(page)]).toEqual([name, size, false]);
    await show(page, `${name}-${size}`);
    expect([name, size, await accessibilityFaults(page)]).toEqual([name, size, []]);
  }
};

const entered = async (options: BrowserContextOptions = {}) => {
  const visitor = await aVisitor(browser, options);
  const { page } = visitor;
  await page.goto(`${server.url.origin}/console`);
  await page.getByLabel("Your name").fill("lan");
  await page.getByLabel("Token").fill(TOKENS.operator);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Now" }).waitFor();
  return visitor;
};

/** A job that runs comes anew every two seconds: what looks at its page for longer looks at one that stays. */
const withoutReloads = (page: Page): Promise<unknown> =>
  page.route(/\/deliveries\/jobs\/./, async (route) => {
    const response = await route.fetch();
    const { refresh: _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });

const pagesToRead = (): readonly (readonly [name: string, path: string])[] => [
  ["now", "/console"],
  ["group", `/console/groups/${GROUP}`],
  ["find", "/console/find"],
  ["journey", `/console/find/${retriedId}`],
  ["audit", "/console/audit"],
  ["act", "/console/act"],
  ["suppressions", "/console/act/suppressions"],
  ["rates", "/console/act/rate"],
  ["replay", `/console/act/replay?group=${GROUP}`],
  ["mails", "/console/act/mails"],
  ["mail-en", "/console/act/mails/welcome/en"],
  ["mail-vi", "/console/act/mails/reminder/vi"],
  ["deliveries", "/console/deliveries"],
  ...(["dead", "held", "queued", "done"] as const).map(
    (state) => [`deliveries-${state}`, `/console/deliveries?state=${state}`] as const,
  ),
  ["jobs", "/console/deliveries/jobs"],
  ...Object.entries(jobs).map(([state, id]) => [`job-${state}`, `/console/deliveries/jobs/${id}`] as const),
  ["session", "/console/session"],
];

test("every page with rows, at both widths, by day and by night: nothing for axe to find", async () => {
  await using stranger = await aVisitor(browser, {});
  await stranger.page.goto(`${server.url.origin}/console/sign-in`);
  await look(stranger.page, "sign-in");
  await using visitor = await entered();
  const { page, errors } = visitor;
  await withoutReloads(page);
  for (const [name, path] of pagesToRead()) {
    if (name === "now") await beatAll();
    await page.goto(`${server.url.origin}${path}`);
    await look(page, name);
  }
  expect(errors).toEqual([]);
}, 240_000);

test("every page says the same without JavaScript", async () => {
  await using visitor = await entered();
  await using plain = await entered({ javaScriptEnabled: false });
  for (const [name, path] of pagesToRead().filter(([, path]) => path !== "/console")) {
    const texts: string[] = [];
    for (const { page } of [visitor, plain]) {
      await page.goto(`${server.url.origin}${path}`);
      texts.push((await page.locator("h1").allInnerTexts()).join(), String(await page.locator("main tr").count()));
    }
    expect([name, ...texts.slice(2)]).toEqual([name, ...texts.slice(0, 2)]);
  }
}, 120_000);

test("every preview, at both widths, by day and by night: nothing for axe to find", async () => {
  await using visitor = await entered();
  const { page, errors } = visitor;
  for (const [state, button] of [
    ["dead", "Retry …"],
    ["dead", "Discard …"],
    ["held", "Release …"],
    ["queued", "Hold …"],
  ] as const) {
    await page.goto(`${server.url.origin}/console/deliveries?state=${state}`);
    await page.getByLabel("all of this filter").check();
    await page.getByRole("button", { name: button }).click();
    await page.getByText("Nothing was changed yet").waitFor();
    await look(page, `preview-${button.toLowerCase().replace(" …", "")}-${state}`);
  }
  await page.goto(`${server.url.origin}/console/act/rate`);
  await page.getByLabel(`A second, for ${GROUP}`).fill("5");
  await page.getByRole("button", { name: `Preview a rate for ${GROUP}` }).click();
  await page.getByText("Nothing was changed yet").waitFor();
  await look(page, "preview-rate");
  await page.goto(`${server.url.origin}/console/act/suppressions`);
  await page.getByRole("button", { name: "Lift all of them …" }).click();
  await page.getByText("Nothing was changed yet").waitFor();
  await look(page, "preview-lift");
  await page.goto(`${server.url.origin}/console/act/replay`);
  await page.getByLabel("From").fill(retriedId);
  await page.getByRole("button", { name: "Preview …" }).click();
  await page.getByText("Nothing was changed yet").waitFor();
  await look(page, "preview-replay");
  expect(errors).toEqual([]);
}, 240_000);

test("more than a hundred are retried once their number is typed", async () => {
  await using visitor = await entered();
  const { page } = visitor;
  await page.goto(`${server.url.origin}/console/deliveries?state=dead&group=${GROUP}`);
  await page.getByLabel("all of this filter").check();
  await page.getByRole("button", { name: "Retry …" }).click();
  const number = String(101 + 3 * (REASONS.length - 1) + 1);
  const button = page.getByRole("button", { name: `Retry ${number}`, exact: true });
  await page.getByLabel(`Type ${number} to confirm`).fill("12");
  await button.click();
  await page.getByRole("alert").getByText("Nothing was done.").waitFor();
  await look(page, "preview-wrong-number");
  await page.getByLabel(`Type ${number} to confirm`).fill(number);
  await button.click();
  await page.getByText("done", { exact: true }).waitFor();
  await page.getByText(`${number} are queued`).waitFor();
}, 60_000);
