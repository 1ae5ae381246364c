import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "../tests/eventually.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { type Answer, startWeatherServer } from "./weather-server.ts";

/**
 * `bun bench/mail-refusals.ts [row,row...]`: what recipients that a mail server refuses cost the others. For each row of its table it
 * prints when the first good mail was taken since its consumer was ready, when nine tenths and the last, how many good mails a second
 * that is, and which share of the same good mails without the bad ones; then how many good ones used more than an attempt.
 */
const rows = process.argv[2]?.split(",").map(Number);

interface Scenario {
  readonly name: string;
  readonly bad: number;
  readonly good: number;
  /** The bad ones are spread among the good ones instead of queued before them. */
  readonly isMixed?: boolean;
  readonly answer: Answer;
  /** Domains of the bad ones (0: those of the good ones) and of the good ones; as many as mails if not given. */
  readonly badDomains?: number;
  readonly goodDomains?: number;
  /** Until the server answers a body, in ms; and until it greets. */
  readonly mailMs?: number;
  readonly greetingMs?: number;
  readonly pipelines?: boolean;
}

const tarpit: Answer = { afterMs: 1_000, reply: "421 4.7.0 try again later" };
const blocked: Answer = { afterMs: 1_000, reply: "550 5.7.1 blocked" };
const silence: Answer = {};
const atOnce: Answer = { reply: "421 4.7.0 try again later" };
const SCENARIOS: readonly Scenario[] = [
  { name: "421 after 1 s", bad: 2_000, good: 1_000, answer: tarpit, goodDomains: 1 },
  { name: "550 after 1 s", bad: 2_000, good: 1_000, answer: blocked, goodDomains: 1 },
  { name: "550 after 1 s", bad: 2_000, good: 1_000, answer: blocked, goodDomains: 20 },
  { name: "421 after 1 s", bad: 2_000, good: 2_000, isMixed: true, answer: tarpit, goodDomains: 1 },
  { name: "421 after 1 s", bad: 500, good: 4_500, isMixed: true, answer: tarpit, goodDomains: 20 },
  {
    name: "421 after 1 s, one domain",
    bad: 1_000,
    good: 3_000,
    isMixed: true,
    answer: tarpit,
    badDomains: 1,
    goodDomains: 1,
  },
  { name: "silence", bad: 1_000, good: 3_000, isMixed: true, answer: silence, goodDomains: 1 },
  {
    name: "silence, of the good ones' domain",
    bad: 300,
    good: 3_000,
    isMixed: true,
    answer: silence,
    badDomains: 0,
    goodDomains: 1,
  },
  { name: "421 at once", bad: 2_000, good: 1_000, answer: atOnce, goodDomains: 1 },
  { name: "421 after 1 s, all domains new", bad: 500, good: 2_000, isMixed: true, answer: tarpit },
  { name: "550 after 1 s, all domains new", bad: 2_000, good: 1_000, answer: blocked },
  {
    name: "421 after 3 s, greeting 100 ms",
    bad: 1_000,
    good: 3_000,
    isMixed: true,
    answer: { ...tarpit, afterMs: 3_000 },
    goodDomains: 5,
    mailMs: 50,
    greetingMs: 100,
  },
  { name: "421 at once", bad: 60, good: 30, answer: atOnce, badDomains: 1, goodDomains: 1, mailMs: 50 },
  { name: "421 at once", bad: 500, good: 300, answer: atOnce, goodDomains: 5, mailMs: 50 },
  {
    name: "421 at once, three domains",
    bad: 500,
    good: 300,
    answer: atOnce,
    badDomains: 3,
    goodDomains: 3,
    mailMs: 100,
  },
  { name: "421 at once, all domains new", bad: 500, good: 300, isMixed: true, answer: atOnce, mailMs: 50 },
  { name: "421 after 1 s", bad: 300, good: 300, answer: tarpit, goodDomains: 3, mailMs: 100 },
  { name: "421 after 1 s", bad: 300, good: 300, isMixed: true, answer: tarpit, goodDomains: 3, mailMs: 100 },
  { name: "silence", bad: 300, good: 300, isMixed: true, answer: silence, goodDomains: 4, mailMs: 50 },
];

/** The kind and domain of each mail, in the order of the signups. */
const mailsOf = (
  scenario: Scenario,
  withBad: boolean,
): readonly { readonly isBad: boolean; readonly domain: string }[] => {
  const { bad, good, isMixed = false, badDomains = bad, goodDomains = good } = scenario;
  const all = withBad ? bad + good : good;
  let soFar = 0;
  return Array.from({ length: all }, (_, index) => {
    const due = isMixed ? Math.floor(((index + 1) * bad) / all) : Math.min(bad, index + 1);
    const isBad = withBad && due > soFar;
    if (isBad) soFar = due;
    const ofGood = `inbox-${index % goodDomains}.example`;
    return { isBad, domain: isBad && badDomains > 0 ? `other-${index % badDomains}.example` : ofGood };
  });
};

interface Figures {
  readonly firstS: number;
  readonly mostS: number;
  readonly lastS: number;
  readonly perSecond: number;
  readonly retried: number;
}

/** Good deliveries that used more than one attempt, or are not done. */
const retriedOf = async ({ database }: System): Promise<number> => {
  const deliveries = await database.db
    .selectFrom("deliveries")
    .select(["state", "attempts"])
    .where("group_name", "=", WELCOME_EMAIL.name)
    .where("state", "=", "done")
    .execute();
  return deliveries.filter(({ attempts }) => attempts > 1).length;
};

/** As an operator would set it, in place of what is short for tests. */
const SETTINGS = { CLAIM_MIN_IDLE_MS: "10000", RETRY_DELAY_MS: "30000", RECONCILE_AFTER_MS: "60000" };
const LONGEST_MS = 90_000;

const measure = async (scenario: Scenario, withBad: boolean): Promise<Figures> => {
  const { good, answer, mailMs = 5, greetingMs = 0, pipelines = true } = scenario;
  const takenAt: number[] = [];
  const mails = mailsOf(scenario, withBad);
  const mailOf = (address: string) => mails[Number(/-(\d+)@/.exec(address)?.[1]) - 1];
  await using server = startWeatherServer({
    mailMs,
    pipelines,
    ...(greetingMs === 0 ? {} : { onConnect: () => ({ afterMs: greetingMs }) }),
    onRcpt: (address) => (mailOf(address)?.isBad === true ? answer : undefined),
    onTaken: () => takenAt.push(performance.now()),
  });
  await using system = await aSystem({ settings: { ...SETTINGS, MAIL_PORT: String(server.port) } });
  const api = await system.api();
  const domainOf = (number: number) => mails[number - 1]?.domain ?? "";
  await signUpMany({ port: portOf(api.url), connections: 16, more: times(mails.length), domainOf });
  await system.consumer({}, WELCOME_EMAIL.name);
  const startedAt = performance.now();
  await eventually(() => takenAt.length >= good, LONGEST_MS).catch(() => {});
  const s = (index: number) => ((takenAt[index] ?? Number.NaN) - startedAt) / 1_000;
  const lastS = takenAt.length < good ? Number.POSITIVE_INFINITY : s(good - 1);
  const most = Math.ceil(good * 0.9) - 1;
  const perSecond = takenAt.length / Math.max(0.001, s(takenAt.length - 1) - s(0));
  return { firstS: s(0), mostS: s(most), lastS, perSecond, retried: await retriedOf(system) };
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
for (const [row, scenario] of SCENARIOS.entries()) {
  if (rows !== undefined && !rows.includes(row)) continue;
  const without = await measure(scenario, false);
  const { firstS, mostS, lastS, perSecond, retried } = await measure(scenario, true);
  const columns = [
    String(row).padStart(2),
    `${scenario.name}`.padEnd(36),
    `${scenario.bad} ${scenario.isMixed === true ? "among" : "before"} ${scenario.good}`.padEnd(20),
    `first ${firstS.toFixed(1)}, 90 % ${mostS.toFixed(1)}, last ${lastS.toFixed(1)} s`.padEnd(36),
    `(${without.firstS.toFixed(1)}, ${without.mostS.toFixed(1)}, ${without.lastS.toFixed(1)})`.padEnd(18),
    `${perSecond.toFixed(0)}/s of ${without.perSecond.toFixed(0)}/s`.padEnd(16),
    `${((100 * perSecond) / without.perSecond).toFixed(0)} %`.padEnd(5),
    `retried ${retried}`,
  ];
  console.log(columns.join("  "));
}
