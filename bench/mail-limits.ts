import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "../tests/eventually.ts";
import { type MailServer, refusal, startMailServer } from "../tests/mail-server.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { quantile } from "./statistics.ts";

/**
 * `bun bench/mail-limits.ts [seconds] [row,row...]`: what consumers send against what a mail server can take, for servers that
 * grant few connections or refuse some recipients. For each row of its table it prints mails a second since the first mail,
 * their share of the server's capacity, how much later than its turn a mail came (its turn: by the order of the signups, at
 * this rate), the deliveries that used more than one attempt or died, and where the time of the granted connections went, in %: the server
 * took a mail, a mail was spoken about, a connection waited for its next mail, or for its first, or was not open. `idle` is ours to mend.
 */
const [seconds = 15] = process.argv.slice(2, 3).map(Number);
const rows = process.argv[3]?.split(",").map(Number);

interface Scenario {
  readonly name: string;
  /** Connections that the server grants, all consumers together. */
  readonly limit: number;
  readonly consumers: number;
  readonly concurrency: number;
  /** How long the server takes for a mail. */
  readonly mailMs: number;
  /** Of recipients that are answered 421 at RCPT. */
  readonly refusedShare?: number;
  /** Each mail is for a domain of its own, of which nothing is known. */
  readonly newDomains?: boolean;
  /** Connections beyond the limit are closed without an answer, instead of by 421. */
  readonly closes?: boolean;
  /** By turns the limit is this one, each for so many seconds; without a number of them, for the middle third of the time. */
  readonly other?: { readonly limit: number; readonly everyS?: number };
}

const at = (limit: number, consumers: number, mailMs: number, concurrency = 20): Scenario => ({
  name: "connection limit",
  limit,
  consumers,
  concurrency,
  mailMs,
});

const SCENARIOS: readonly Scenario[] = [
  at(10, 1, 100),
  at(3, 1, 300),
  at(50, 3, 300),
  { ...at(1_000, 1, 100), name: "no limit" },
  { ...at(1_000, 1, 100), name: "30 % get 421 at RCPT", refusedShare: 0.3 },
  { ...at(10, 2, 100), name: "30 % get 421 at RCPT", refusedShare: 0.3 },
  at(1, 1, 100),
  at(1, 4, 100),
  at(2, 2, 100),
  at(3, 4, 100),
  at(10, 4, 100),
  at(20, 2, 200),
  at(50, 4, 500),
  at(100, 2, 1_000, 100),
  at(200, 3, 2_000, 100),
  at(200, 1, 1_000, 100),
  at(200, 4, 2_000, 100),
  at(5, 3, 100),
  at(20, 4, 200),
  at(50, 1, 250, 100),
  { ...at(10, 2, 100), name: "closed beyond", closes: true },
  { ...at(50, 2, 500, 50), name: "closed beyond", closes: true },
  { ...at(30, 2, 200), name: "fewer for a while", other: { limit: 10 } },
  { ...at(10, 2, 200), name: "more for a while", other: { limit: 30 } },
  { ...at(10, 2, 200), name: "changes", other: { limit: 30, everyS: 1 } },
  { ...at(10, 2, 200), name: "changes", other: { limit: 30, everyS: 2.7 } },
  { ...at(10, 2, 200), name: "changes", other: { limit: 30, everyS: 5 } },
  { ...at(4, 2, 500), name: "changes", other: { limit: 16, everyS: 5 } },
  { ...at(1, 3, 100), name: "changes", other: { limit: 9, everyS: 2.7 } },
  at(2, 3, 100),
  at(7, 4, 100),
  at(50, 2, 200),
  at(1, 4, 500),
  at(4, 4, 500),
  at(5, 2, 20),
  { ...at(10, 1, 100), name: "new domains", newDomains: true },
  { ...at(50, 4, 500), name: "new domains", newDomains: true },
  { ...at(200, 3, 2_000, 100), name: "new domains", newDomains: true },
];

/** The limits, one after the other. */
const turnsOf = ({ limit, other }: Scenario): readonly { readonly limit: number; readonly ms: number }[] => {
  if (other === undefined) return [{ limit, ms: seconds * 1_000 }];
  const count = other.everyS === undefined ? 3 : Math.floor(seconds / other.everyS);
  return Array.from({ length: count }, (_, turn) => ({
    limit: turn % 2 === 0 ? limit : other.limit,
    ms: (seconds * 1_000) / count,
  }));
};

/** smtp-server greets after this time; a 421 costs a connection. */
const GREETING_MS = 100;

/** Mails a second that the server can take over the connections that there may be. */
const capacityOf = (scenario: Scenario) => {
  const { consumers, concurrency, mailMs, refusedShare = 0 } = scenario;
  const refusedMs = (refusedShare / (1 - refusedShare)) * GREETING_MS;
  const used = turnsOf(scenario).map(({ limit, ms }) => Math.min(limit, consumers * concurrency) * ms);
  return used.reduce((sum, each) => sum + each, 0) / (seconds * (mailMs + refusedMs));
};

const isRefused = (address: string, share: number): boolean => Number(Bun.hash(address) % 100n) < share * 100;

interface Accepted {
  readonly to: string;
  /** Monotonic, ms. */
  readonly at: number;
}

/** What the granted connections are doing: the server takes its time for a mail, it is spoken to about one, it waits for the next, or for the first. */
type Doing = "taking" | "dialogue" | "idle" | "opening";

/** Where the connections' time goes, in ms of all of them. */
class Spent {
  readonly ms: Record<Doing, number> = { taking: 0, dialogue: 0, idle: 0, opening: 0 };
  readonly #doing = new Map<string, { readonly what: Doing; readonly since: number }>();
  #from = 0;

  /** Counts from now on. */
  begin(): void {
    this.#from = performance.now();
    for (const what of ["taking", "dialogue", "idle", "opening"] as const) this.ms[what] = 0;
  }

  /** A connection does something else now; undefined: it is closed. */
  turn(id: string, what: Doing | undefined): void {
    const now = performance.now();
    const before = this.#doing.get(id);
    if (before !== undefined) this.ms[before.what] += now - Math.max(this.#from, Math.min(now, before.since));
    if (what === undefined) this.#doing.delete(id);
    else this.#doing.set(id, { what, since: now });
  }

  /** Shares of `all`, in %. */
  shares(all: number): string {
    for (const [id, { what }] of this.#doing) this.turn(id, what);
    const { taking, dialogue, idle, opening } = this.ms;
    const rest = all - taking - dialogue - idle - opening;
    return [taking, dialogue, idle, opening, rest].map((ms) => ((100 * ms) / all).toFixed(0)).join("/");
  }
}

interface LimitedServer {
  readonly spent: Spent;
  /** Connections that were refused. */
  readonly refused: () => number;
  readonly server: MailServer;
  readonly accepted: readonly Accepted[];
  /** Connections beyond the new limit are refused their next mail. */
  readonly setLimit: (limit: number) => void;
}

const openServer = async ({ limit, mailMs, closes = false, refusedShare = 0 }: Scenario): Promise<LimitedServer> => {
  const granted = new Set<string>();
  const spent = new Spent();
  let refused = 0;
  const accepted: Accepted[] = [];
  let surplus: readonly string[] = [];
  let most = limit;
  const server = await startMailServer({
    onConnect: ({ id }, done) => {
      if (granted.size < most) {
        granted.add(id);
        spent.turn(id, "opening");
        return done();
      }
      refused += 1;
      if (!closes) return done(refusal(421, "4.7.0 too many connections"));
      for (const connection of server.open()) if (connection.id === id) connection.close();
    },
    onClose: ({ id }) => {
      granted.delete(id);
      spent.turn(id, undefined);
    },
    onMailFrom: (_from, { id }, done) => {
      if (granted.has(id)) spent.turn(id, "dialogue");
      done(surplus.includes(id) ? refusal(421, "4.7.0 too many connections") : undefined);
    },
    beforeReply: async (_raw, { to: [to = ""], connection: { id } }) => {
      spent.turn(id, "taking");
      await Bun.sleep(mailMs);
      if (granted.has(id)) spent.turn(id, "idle");
      accepted.push({ to, at: performance.now() });
    },
    onRcptTo: ({ address }, _session, done) => {
      if (!isRefused(address, refusedShare)) return done();
      done(refusal(421, "4.7.0 try again later"));
    },
  });
  const setLimit = (next: number) => {
    most = next;
    surplus = [...granted].slice(next);
  };
  return { server, accepted, setLimit, spent, refused: () => refused };
};

/** Deliveries that used up more than the attempt that sent them, and dead ones. */
const harmed = async ({ database }: System): Promise<{ readonly retried: number; readonly dead: number }> => {
  const deliveries = await database.db
    .selectFrom("deliveries")
    .select(["state", "attempts"])
    .where("group_name", "=", WELCOME_EMAIL.name)
    .execute();
  return {
    retried: deliveries.filter(({ state, attempts }) => attempts > (state === "done" ? 1 : 0)).length,
    dead: deliveries.filter(({ state }) => state === "dead").length,
  };
};

/** The number of a signup of `signUpMany`, by its address. */
const numberOf = (address: string): number => Number(/-(\d+)@/.exec(address)?.[1]);

/** How much later than its turn each mail came whose turn was before `end`, in seconds; at least, if it has not come yet. */
const latenesses = (accepted: readonly Accepted[], { most, share, end }: Record<"most" | "share" | "end", number>) => {
  const [first] = accepted;
  if (first === undefined) return [0];
  const perMs = accepted.length / (end - first.at);
  const takenAt = new Map(accepted.map(({ to, at: takenAtMs }) => [numberOf(to), takenAtMs]));
  const prefix = first.to.replace(/-\d+@.*/, "");
  const numbers = Array.from({ length: most }, (_, index) => index + 1);
  const turns = numbers.filter((number) => !isRefused(`${prefix}-${number}@inbox.example`, share));
  return turns
    .slice(0, accepted.length)
    .map((number, turn) => Math.max(0, (takenAt.get(number) ?? end) - first.at - turn / perMs) / 1_000);
};

/** As an operator would set it, in place of what is short for tests. */
const SETTINGS = { CLAIM_MIN_IDLE_MS: "10000", RETRY_DELAY_MS: "30000", RECONCILE_AFTER_MS: "600000" };

const run = async (scenario: Scenario): Promise<void> => {
  const { name, limit, other, consumers, concurrency, mailMs, refusedShare: share = 0, newDomains = false } = scenario;
  const perSecond = capacityOf(scenario);
  const { server: mailServer, accepted, setLimit, spent, refused } = await openServer(scenario);
  await using system = await aSystem({ mailServer, settings: SETTINGS });
  const api = await system.api();
  const mails = Math.ceil(perSecond * seconds * 1.6) + 50;
  const domainOf = (number: number) => (newDomains ? `d${number}.example` : "inbox.example");
  await signUpMany({ port: portOf(api.url), connections: 32, more: times(mails), domainOf });
  const settings = { CONSUMER_CONCURRENCY: String(concurrency) };
  await Promise.all(Array.from({ length: consumers }, () => system.consumer(settings, WELCOME_EMAIL.name)));
  await eventually(() => mailServer.taken.length > 0);
  const before = mailServer.taken.length;
  const refusedBefore = refused();
  spent.begin();
  for (const turn of turnsOf(scenario)) {
    if (other !== undefined) setLimit(turn.limit);
    await Bun.sleep(turn.ms);
  }
  const rate = (mailServer.taken.length - before) / seconds;
  const late = latenesses(accepted, { most: mails, share, end: performance.now() });
  const places = (perSecond * mailMs) / 1_000;
  const shares = spent.shares(places * seconds * 1_000);
  const refusedPerSecond = (refused() - refusedBefore) / seconds;
  const { retried, dead } = await harmed(system);
  const columns = [
    name.padEnd(21),
    `limit ${limit}${other === undefined ? "" : ` (${other.limit}, ${other.everyS ?? seconds / 3} s)`}`.padEnd(20),
    `${consumers} x ${concurrency}`.padEnd(8),
    `${mailMs} ms`.padEnd(8),
    `${rate.toFixed(1)}/s of ${perSecond.toFixed(0)}/s`.padEnd(18),
    `${((100 * rate) / perSecond).toFixed(0)} %`.padEnd(5),
    `late ${quantile(late, 0.5).toFixed(1)}/${quantile(late, 0.99).toFixed(1)}/${Math.max(...late).toFixed(1)} s`.padEnd(
      20,
    ),
    `retried ${retried}, dead ${dead}`,
    `taking/dialogue/idle/opening/closed ${shares} %, refused ${refusedPerSecond.toFixed(1)}/s`,
  ];
  console.log(columns.join("  "));
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
for (const [row, scenario] of SCENARIOS.entries()) if (rows === undefined || rows.includes(row)) await run(scenario);
