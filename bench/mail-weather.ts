import { WELCOME_EMAIL } from "../stream/groups.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { quantile } from "./statistics.ts";
import { type Answer, startWeatherServer, type Weather } from "./weather-server.ts";

/**
 * `bun bench/mail-weather.ts [seconds] [row,row...]`: what consumers send through a mail server whose weather changes, against what it
 * could take. For each row of its table: mails a second since the first mail, their share of what the server could take, how much later
 * than its turn a mail came (median, 99 %, most), deliveries that used more than an attempt or died, and how often a breaker opened.
 */
const [seconds = 20] = process.argv.slice(2, 3).map(Number);
const rows = process.argv[3]?.split(",").map(Number);

interface Scenario {
  readonly name: string;
  readonly consumers: number;
  readonly mailMs: number;
  /** Mails a second that the server can take; what a server without weather takes if not given. */
  readonly perSecond?: number;
  /** Anew for each run. */
  readonly weather: () => Omit<Weather, "mailMs" | "onTaken">;
}

const tooMany: Answer = { reply: "421 4.7.0 too many connections", ends: "close" };

/** Mails that are taken in each minute; the others get the answer. */
const perMinute =
  (most: number, answer: Answer, windowMs = 60_000) =>
  () => {
    let since = performance.now();
    let count = 0;
    const onRcpt = (): Answer | undefined => {
      if (performance.now() - since >= windowMs) {
        since = performance.now();
        count = 0;
      }
      count += 1;
      return count > most ? answer : undefined;
    };
    return { onRcpt };
  };

const everySecond = (first: number, second: number) => () => {
  const limit = () => (Math.floor(performance.now() / 1_000) % 2 === 0 ? first : second);
  return {
    onConnect: ({ open }: { readonly open: number }) => (open > limit() ? tooMany : undefined),
    onMailFrom: ({ open }: { readonly open: number }) => (open > limit() ? tooMany : undefined),
  };
};

const aPart = (share: number) => {
  let sum = 0;
  return () => {
    sum += share;
    if (sum < 1) return false;
    sum -= 1;
    return true;
  };
};

const SCENARIOS: readonly Scenario[] = [
  { name: "no weather", consumers: 1, mailMs: 100, perSecond: 200, weather: () => ({}) },
  {
    name: "every 2nd connection never greets",
    consumers: 1,
    mailMs: 100,
    perSecond: 200,
    weather: () => ({ onConnect: ({ number }) => (number % 2 === 0 ? {} : undefined) }),
  },
  {
    name: "greets after 2 to 10 s",
    consumers: 1,
    mailMs: 100,
    perSecond: 200,
    weather: () => ({ onConnect: ({ number }) => ({ afterMs: 2_000 + ((number * 7) % 9) * 1_000 }) }),
  },
  { name: "limit 10 or 30 each second", consumers: 2, mailMs: 200, perSecond: 100, weather: everySecond(10, 30) },
  { name: "limit 1", consumers: 4, mailMs: 200, perSecond: 5, weather: everySecond(1, 1) },
  { name: "limit 1 or 6 each second", consumers: 4, mailMs: 200, perSecond: 17.5, weather: everySecond(1, 6) },
  {
    name: "120 a minute, 450 4.7.1",
    consumers: 1,
    mailMs: 20,
    perSecond: 2,
    weather: perMinute(120, { reply: "450 4.7.1 try again later" }),
  },
  {
    name: "120 a minute, 421, words",
    consumers: 1,
    mailMs: 20,
    perSecond: 2,
    weather: perMinute(120, { reply: "421 4.7.0 rate limit exceeded", ends: "close" }),
  },
  {
    name: "20 in 10 s, 450 4.7.1, words",
    consumers: 2,
    mailMs: 20,
    perSecond: 2,
    weather: perMinute(20, { reply: "450 4.7.1 too many messages" }, 10_000),
  },
  {
    name: "20 in 10 s, 421 4.7.0",
    consumers: 1,
    mailMs: 20,
    perSecond: 2,
    weather: perMinute(20, { reply: "421 4.7.0 try again later", ends: "close" }, 10_000),
  },
  {
    name: "RST in the body of a 10th",
    consumers: 1,
    mailMs: 100,
    perSecond: 180,
    weather: () => {
      const isCut = aPart(0.1);
      return { onBody: () => (isCut() ? { ends: "reset" } : undefined) };
    },
  },
  {
    name: "a 10th of connections closed",
    consumers: 1,
    mailMs: 100,
    perSecond: 200,
    weather: () => ({ onConnect: ({ number }) => (number % 10 === 0 ? { ends: "close" } : undefined) }),
  },
  {
    name: "half of connections closed",
    consumers: 1,
    mailMs: 100,
    perSecond: 200,
    weather: () => ({ onConnect: ({ number }) => (number % 2 === 0 ? { ends: "close" } : undefined) }),
  },
  {
    name: "closes beyond 1, without a word",
    consumers: 3,
    mailMs: 200,
    perSecond: 5,
    weather: () => ({ onConnect: ({ open }) => (open > 1 ? { ends: "close" } : undefined) }),
  },
];

/** Deliveries that used up more than the attempt that sent them, and dead ones. */
const harmed = async ({ database }: System): Promise<string> => {
  const deliveries = await database.db
    .selectFrom("deliveries")
    .select(["state", "attempts", "uncertain"])
    .where("group_name", "=", WELCOME_EMAIL.name)
    .execute();
  const retried = deliveries.filter(({ state, attempts }) => attempts > (state === "done" ? 1 : 0)).length;
  const dead = deliveries.filter(({ state }) => state === "dead").length;
  const uncertain = deliveries.filter((each) => each.uncertain > 0).length;
  return `retried ${retried} (${uncertain} uncertain), dead ${dead}`;
};

/** How much later than its turn each mail came, by the order of the signups, in seconds; at least, if it has not come yet. */
const latenesses = (takenAt: ReadonlyMap<number, number>, end: number): readonly number[] => {
  const first = Math.min(...takenAt.values());
  const perMs = takenAt.size / (end - first);
  return Array.from(
    { length: takenAt.size },
    (_, turn) => Math.max(0, (takenAt.get(turn + 1) ?? end) - first - turn / perMs) / 1_000,
  );
};

/** As an operator would set it, in place of what is short for tests. */
const SETTINGS = { CLAIM_MIN_IDLE_MS: "10000", RETRY_DELAY_MS: "30000", RECONCILE_AFTER_MS: "60000" };

const run = async (scenario: Scenario): Promise<string> => {
  const { name, consumers, mailMs, perSecond = 1_000 / mailMs, weather } = scenario;
  const takenAt = new Map<number, number>();
  await using server = startWeatherServer({
    ...weather(),
    mailMs,
    onTaken: (address) => void takenAt.set(Number(/-(\d+)@/.exec(address)?.[1]), performance.now()),
  });
  await using system = await aSystem({ settings: { ...SETTINGS, MAIL_PORT: String(server.port) } });
  const api = await system.api();
  const mails = Math.ceil(perSecond * seconds * 1.5) + 100;
  await signUpMany({ port: portOf(api.url), connections: 16, more: times(mails) });
  const started = await Promise.all(Array.from({ length: consumers }, () => system.consumer({}, WELCOME_EMAIL.name)));
  const startedAt = performance.now();
  await Bun.sleep(seconds * 1_000);
  const end = performance.now();
  const rate = (takenAt.size * 1_000) / (end - startedAt);
  const late = latenesses(takenAt, end);
  const opened = started.flatMap(({ lines }) => lines).filter((line) => line.includes("the breaker is open")).length;
  return [
    name.padEnd(34),
    `${consumers} x 20, ${mailMs} ms`.padEnd(16),
    `${rate.toFixed(1)}/s of ${perSecond}/s`.padEnd(20),
    `${((100 * rate) / perSecond).toFixed(0)} %`.padEnd(6),
    `late ${quantile(late, 0.5).toFixed(1)}/${quantile(late, 0.99).toFixed(1)}/${Math.max(...late).toFixed(1)} s`.padEnd(
      22,
    ),
    await harmed(system),
    `opened ${opened}, connections ${server.connections()}`,
  ].join("  ");
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
for (const [row, scenario] of SCENARIOS.entries()) {
  if (rows === undefined || rows.includes(row)) console.log(String(row).padStart(2), await run(scenario));
}
