import { factory } from "../consumers/welcome-email/group.ts";
import { loadSettings } from "../settings/load.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { type MailServer, startMailServer } from "../tests/mail-server.ts";
import { aPipeline, aSignup, type Pipeline, redisUrl, silentLog } from "../tests/pipeline.ts";
import { startTestServers } from "../tests/servers.ts";

/**
 * `bun bench/mail-limits.ts [seconds]`: what consumers send against what a mail server can take, for servers that grant few
 * connections or refuse some recipients. It prints a table: mails a second, their share of the server's capacity, and the
 * deliveries that used more than one attempt or died.
 */
const [seconds = 15] = process.argv.slice(2).map(Number);

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

const openServer = ({ limit, mailMs, refusedShare = 0 }: Scenario, seen: { refused: number }): Promise<MailServer> => {
  const refused = new Set<string>();
  return startMailServer({
    maxClients: limit,
    beforeReply: () => Bun.sleep(mailMs),
    onRcptTo: ({ address }, _session, done) => {
      if (Number(/\d+/.exec(address)?.[0] ?? 0) % 100 >= refusedShare * 100) return done();
      refused.add(address);
      seen.refused = refused.size;
      done(Object.assign(new Error("4.7.0 try again later"), { responseCode: 421 }));
    },
  });
};

const openConsumer = (pipeline: Pipeline, server: MailServer, concurrency: number) => {
  const settings = loadSettings("consumer", {
    DATABASE_URL: pipeline.url,
    REDIS_URL: redisUrl(),
    MAIL_SERVER: "127.0.0.1",
    MAIL_PORT: String(server.port),
    MAIL_TLS: "none",
    MAIL_FROM: "welcome@toblug.example",
    CONSUMER_CONCURRENCY: String(concurrency),
  });
  return pipeline.open((db) => factory.open(WELCOME_EMAIL, { settings, db, log: silentLog }), {
    claimMinIdleMs: 10_000,
  });
};

/** Deliveries that were not sent at the first attempt, and dead ones. */
const harmed = async ({ db }: Pipeline): Promise<{ readonly retried: number; readonly dead: number }> => {
  const rows = await db.selectFrom("deliveries").select(["state", "attempts"]).execute();
  return {
    retried: rows.filter(({ state, attempts }) => attempts > (state === "done" ? 1 : 0)).length,
    dead: rows.filter(({ state }) => state === "dead").length,
  };
};

const run = async (scenario: Scenario): Promise<void> => {
  const { name, limit, consumers, concurrency, mailMs } = scenario;
  const perSecond = Math.min(limit, consumers * concurrency) / (mailMs / 1_000);
  const seen = { refused: 0 };
  await using server = await openServer(scenario, seen);
  await using pipeline = await aPipeline();
  const mails = Math.ceil(perSecond * seconds * 1.6) + 50;
  await pipeline.signUp(
    ...Array.from({ length: mails }, (_, n) => aSignup({ email: `person-${n}@domain-${n % 50}.example` })),
  );
  for (let n = 0; n < consumers; n += 1) await openConsumer(pipeline, server, concurrency);
  await Bun.sleep(seconds * 1_000);
  const rate = server.taken.length / seconds;
  const { retried, dead } = await harmed(pipeline);
  console.log(
    [
      name.padEnd(22),
      `limit ${limit}`.padEnd(11),
      `${consumers} x ${concurrency}`.padEnd(8),
      `${mailMs} ms`.padEnd(8),
      `${rate.toFixed(1)}/s of ${perSecond.toFixed(0)}/s`.padEnd(20),
      `${((100 * rate) / perSecond).toFixed(0)} %`.padEnd(6),
      `retried ${retried}, dead ${dead}, connections ${server.connections()}`,
    ].join("  "),
  );
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
const only = process.env["ONLY"];
for (const [n, scenario] of SCENARIOS.entries()) if (only === undefined || only.split(",").includes(String(n))) await run(scenario);
process.exit(0);
