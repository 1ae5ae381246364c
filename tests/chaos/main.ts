import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { untilReady } from "../../local/ready.ts";
import { pause } from "../../runtime/loop.ts";
import { audit } from "./audit.ts";
import { startConfirmations } from "./confirmations.ts";
import { exampleEffects, mailEffects, webhookEffects } from "./effects.ts";
import { MAIL, REMINDER } from "./groups.ts";
import { startLoad } from "./load.ts";
import { createLogSums } from "./log-sums.ts";
import { startChaoticMailServer } from "./mail-server.ts";
import { createChaosOperator } from "./operator.ts";
import { startPayments } from "./payments.ts";
import { seededRandom } from "./random.ts";
import { type Repetitions, startRepetitions } from "./repetitions.ts";
import { breachesOf, report } from "./report.ts";
import { type Limits, runFaults, untilSettled } from "./run.ts";
import { SERVICE_TOKEN, startChaosSystem } from "./system.ts";
import { startChaoticReceiver } from "./webhook-receiver.ts";

const USAGE = `bun run chaos [--minutes N] [--faults N] [--signups N] [--seed S] [--rate R] [--only KIND] [--pgbouncer] [--private] [--tls]

Runs two APIs, four consumers of six groups, Postgres, Redis, a faulty mail server and a faulty receiver of webhooks under a steady
load of R signups per second (default 25) and five payments; some users confirm their address, some ask for another link. It injects
random faults until the first of the limits that are given (default: 1 minute), waits until all work is finished, and audits it. The
same seed gives the same faults. Exit code 1 if a promise is broken, or if the run provoked too little to prove anything.

  --pgbouncer   all processes reach Postgres through PgBouncer, which is killed as well; default: with every third seed
  --private     signups with a known address are answered as any other, and some are made; default: with every fourth seed
  --tls         all processes reach the stores by TLS, and check their certificate; default: with every fifth seed
  --only KIND   only faults whose kind contains this text, one at a time, such as "lock" or "smtp: domain"

Ctrl-C ends the faults and audits what was done until then; a second one ends the run.`;

const WARM_UP_MS = 30_000;
const PROGRESS_EVERY_MS = 10_000;
const PAYMENTS_PER_SECOND = 5;
/** Ctrl-C reaches this process from the terminal, and once more from `bun run`. */
const SAME_SIGNAL_MS = 500;

const number = (text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isNaN(value) || value < 0) {
    console.error(`${JSON.stringify(text)} is not a number\n\n${USAGE}`);
    process.exit(2);
  }
  return value;
};

const { values } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: "string" },
    faults: { type: "string" },
    signups: { type: "string" },
    only: { type: "string" },
    seed: { type: "string" },
    rate: { type: "string" },
    pgbouncer: { type: "boolean" },
    private: { type: "boolean" },
    tls: { type: "boolean" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const isUnlimited = values.faults === undefined && values.signups === undefined;
const limits: Limits = {
  minutes: number(values.minutes, isUnlimited ? 1 : Number.POSITIVE_INFINITY),
  faults: number(values.faults, Number.POSITIVE_INFINITY),
  signups: number(values.signups, Number.POSITIVE_INFINITY),
  only: values.only,
};
const seed = number(values.seed, Math.floor(Math.random() * 1_000_000));
const rate = number(values.rate, 25);
/** Where there is no Debian package of it, only if it is asked for. */
const { pgbouncer: hasPooler = seed % 3 === 0 && Bun.which("dpkg") !== null } = values;
const { private: isPrivate = seed % 4 === 0 } = values;
const { tls: isEncrypted = seed % 5 === 0 } = values;
/** The end of the faults, and that of the run. */
const [end, stop] = [new AbortController(), new AbortController()];
let endedAt = Number.POSITIVE_INFINITY;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (performance.now() - endedAt > SAME_SIGNAL_MS) stop.abort();
    endedAt = Math.min(endedAt, performance.now());
    end.abort();
  });
}

const local = join(import.meta.dir, "..", "..", ".local");
mkdirSync(local, { recursive: true });
const directory = mkdtempSync(join(local, `chaos-${seed}-`));

/** Returns the breaches. All processes are stopped, also after an error. */
const main = async (): Promise<readonly string[]> => {
  const startedAt = performance.now();
  const logs = createLogSums();
  let current = "calm";
  let faults = 0;
  await using mailServer = await startChaoticMailServer({
    currentFault: () => current,
    random: seededRandom(seed + 5).next,
  });
  const workFile = join(directory, "example-work.txt");
  writeFileSync(workFile, "");
  await using receiver = await startChaoticReceiver(seededRandom(seed + 3));
  const effects = [mailEffects(MAIL, mailServer), exampleEffects(workFile), webhookEffects(receiver)];
  await using system = await startChaosSystem({
    directory,
    mailServer,
    receiver,
    logs,
    workFile,
    hasPooler,
    isPrivate,
    isEncrypted,
  });
  const urls = system.victims.filter(({ kind }) => kind === "api").map(({ url }) => url);
  await Promise.all(urls.map((url) => untilReady("an API", `${url}/readyz`, stop.signal)));
  const payments = await startPayments({
    urls,
    databaseUrl: system.databaseUrl,
    serviceToken: SERVICE_TOKEN,
    perSecond: PAYMENTS_PER_SECOND,
    random: seededRandom(seed + 2),
  });
  const load = startLoad({ urls, perSecond: rate, random: seededRandom(seed + 1), currentFault: () => current });
  const confirmations = startConfirmations({
    urls,
    databaseUrl: system.databaseUrl,
    mailServer,
    load,
    random: seededRandom(seed + 4),
  });
  const repetitions: Repetitions | undefined = isPrivate
    ? startRepetitions({ urls, databaseUrl: system.databaseUrl, mailServer, load, random: seededRandom(seed + 6) })
    : undefined;
  const stopLoad = () => Promise.all([load.stop(), payments.stop(), confirmations.stop(), repetitions?.stop()]);
  const say = (what: string) => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4);
    const counts = effects.map(({ group, read }) => `${group} ${read().length}`).join("  ");
    const megabytes = (process.memoryUsage.rss() / 1_048_576).toFixed(0);
    console.log(
      `${seconds} s  faults ${faults}  accepted ${load.accepted.length}  ${counts}  ${megabytes} MiB  ${what}`,
    );
  };
  const progress = setInterval(() => say(current), PROGRESS_EVERY_MS);
  try {
    const warmBy = performance.now() + WARM_UP_MS;
    while (effects.some(({ read }) => read().length === 0) && performance.now() < warmBy && !end.signal.aborted)
      await pause(100, end.signal);
    logs.reset();
    const onFault = (label: string) => {
      current = label;
      if (label === "calm") return;
      faults += 1;
      say(label);
    };
    const random = seededRandom(seed);
    const operator = createChaosOperator(system);
    const deps = { system, mailServer, receiver, operator, random, load, effects, onFault, say, signal: end.signal };
    const run = await runFaults(deps, seed, limits);
    await stopLoad();
    await untilSettled({ system, operator, signal: stop.signal, say });
    if (stop.signal.aborted) return ["interrupted before its audit"];
    await system.retire();
    const audited = await audit(system, mailServer, [...effects, mailEffects(REMINDER, mailServer)], load);
    const [paid, confirmed] = [await payments.audit(), await confirmations.audit()];
    const repeated = await repetitions?.audit();
    const { misconduct } = system;
    const results = {
      run,
      audited,
      paid,
      confirmations: confirmed,
      repeated,
      mailServer,
      receiver,
      operator,
      load,
      logs,
      misconduct,
    };
    console.log(report(results));
    return breachesOf(results);
  } finally {
    clearInterval(progress);
    await stopLoad();
  }
};

const breaches = await main().catch((error: unknown) => [`the run failed: ${Bun.inspect(error)}`]);
if (breaches.length === 0) {
  rmSync(directory, { recursive: true, force: true });
  console.log("every promise was kept");
} else {
  console.error(`\nBREACHES:\n${breaches.map((breach) => `  ${breach}`).join("\n")}`);
  console.error(`repeat with --seed ${seed} --rate ${rate} and the same limits; logs are in ${directory}`);
}
process.exit(breaches.length === 0 ? 0 : 1);
