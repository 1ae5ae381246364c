import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "../tests/eventually.ts";
import { type MailServer, startMailServer } from "../tests/mail-server.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";

/**
 * `bun bench/mail-limits.ts [seconds] [row,row...]`: what consumers send against what a mail server can take, for servers that
 * grant few connections or refuse some recipients. For each row of its table it prints mails a second since the first mail,
 * their share of the server's capacity, and the deliveries that used more than one attempt or died.
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
];

/** smtp-server greets after this time; a 421 costs a connection. */
const GREETING_MS = 100;

/** Mails a second that the server can take over the connections that there may be. */
const capacityOf = ({ limit, consumers, concurrency, mailMs, refusedShare = 0 }: Scenario): number => {
  const refusedMs = (refusedShare / (1 - refusedShare)) * GREETING_MS;
  return Math.min(limit, consumers * concurrency) / ((mailMs + refusedMs) / 1_000);
};

const isRefused = (address: string, share: number): boolean => Number(Bun.hash(address) % 100n) < share * 100;

const openServer = ({ limit, mailMs, refusedShare = 0 }: Scenario): Promise<MailServer> =>
  startMailServer({
    maxClients: limit,
    beforeReply: () => Bun.sleep(mailMs),
    onRcptTo: ({ address }, _session, done) => {
      if (!isRefused(address, refusedShare)) return done();
      done(Object.assign(new Error("4.7.0 try again later"), { responseCode: 421 }));
    },
  });

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

/** As an operator would set it, in place of what is short for tests. */
const SETTINGS = { CLAIM_MIN_IDLE_MS: "10000", RETRY_DELAY_MS: "30000", RECONCILE_AFTER_MS: "600000" };

const run = async (scenario: Scenario): Promise<void> => {
  const { name, limit, consumers, concurrency, mailMs } = scenario;
  const perSecond = capacityOf(scenario);
  const mailServer = await openServer(scenario);
  await using system = await aSystem({ mailServer, settings: SETTINGS });
  const api = await system.api();
  const mails = Math.ceil(perSecond * seconds * 1.6) + 50;
  await signUpMany({ port: portOf(api.url), connections: 32, more: times(mails) });
  const settings = { CONSUMER_CONCURRENCY: String(concurrency) };
  await Promise.all(Array.from({ length: consumers }, () => system.consumer(settings, WELCOME_EMAIL.name)));
  await eventually(() => mailServer.taken.length > 0);
  const before = mailServer.taken.length;
  await Bun.sleep(seconds * 1_000);
  const rate = (mailServer.taken.length - before) / seconds;
  const { retried, dead } = await harmed(system);
  const columns = [
    name.padEnd(21),
    `limit ${limit}`.padEnd(11),
    `${consumers} x ${concurrency}`.padEnd(8),
    `${mailMs} ms`.padEnd(8),
    `${rate.toFixed(1)}/s of ${perSecond.toFixed(0)}/s`.padEnd(18),
    `${((100 * rate) / perSecond).toFixed(0)} %`.padEnd(5),
    `retried ${retried}, dead ${dead}`,
  ];
  console.log(columns.join("  "));
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
for (const [row, scenario] of SCENARIOS.entries()) if (rows === undefined || rows.includes(row)) await run(scenario);
