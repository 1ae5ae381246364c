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
import { startPayments } from "./payments.ts";
import { seededRandom } from "./random.ts";
import { breachesOf, report } from "./report.ts";
import { runFaults, untilSettled } from "./run.ts";
import { SERVICE_TOKEN, startChaosSystem } from "./system.ts";
import { startChaoticReceiver } from "./webhook-receiver.ts";

const USAGE = `bun run chaos [--minutes N] [--seed S] [--rate R]

Runs two APIs, four consumers of five groups, Postgres, Redis, a faulty mail server and a faulty receiver of webhooks under a steady
load of R signups per second (default 25) and five payments; some users confirm their address, some ask for another link. It injects
random faults for N minutes (default 1), waits until all work is finished, and audits it. The same seed gives the same faults. Exit code 1 if a promise is broken, or if the run provoked too little to prove anything.`;

const WARM_UP_MS = 30_000;
const PROGRESS_EVERY_MS = 10_000;
const PAYMENTS_PER_SECOND = 5;

const number = (text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isFinite(value) || value < 0) {
    console.error(`${JSON.stringify(text)} is not a number\n\n${USAGE}`);
    process.exit(2);
  }
  return value;
};

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    rate: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const minutes = number(values.minutes, 1);
const seed = number(values.seed, Math.floor(Math.random() * 1_000_000));
const rate = number(values.rate, 25);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

const local = join(import.meta.dir, "..", "..", ".local");
mkdirSync(local, { recursive: true });
const directory = mkdtempSync(join(local, `chaos-${seed}-`));

/** Returns the breaches. All processes are stopped, also after an error. */
const main = async (): Promise<readonly string[]> => {
  const startedAt = performance.now();
  const logs = createLogSums();
  let current = "calm";
  await using mailServer = await startChaoticMailServer(() => current);
  const workFile = join(directory, "example-work.txt");
  writeFileSync(workFile, "");
  await using receiver = await startChaoticReceiver(seededRandom(seed + 3));
  const effects = [mailEffects(MAIL, mailServer), exampleEffects(workFile), webhookEffects(receiver)];
  await using system = await startChaosSystem({ directory, mailServer, receiver, logs, workFile });
  const urls = system.victims.filter(({ kind }) => kind === "api").map(({ url }) => url);
  await Promise.all(urls.map((url) => untilReady("an API", `${url}/readyz`, stop.signal)));
  const payments = await startPayments({
    urls,
    databaseUrl: system.databaseUrl,
    serviceToken: SERVICE_TOKEN,
    perSecond: PAYMENTS_PER_SECOND,
    random: seededRandom(seed + 2),
  });
  const load = startLoad(urls, rate, seededRandom(seed + 1));
  const confirmations = startConfirmations({
    urls,
    databaseUrl: system.databaseUrl,
    mailServer,
    load,
    random: seededRandom(seed + 4),
  });
  const stopLoad = () => Promise.all([load.stop(), payments.stop(), confirmations.stop()]);
  const say = (what: string) => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4);
    const counts = effects.map(({ group, read }) => `${group} ${read().length}`).join("  ");
    console.log(`${seconds} s  accepted ${load.accepted.length}  ${counts}  ${what}`);
  };
  const progress = setInterval(() => say(current), PROGRESS_EVERY_MS);
  try {
    const warmBy = performance.now() + WARM_UP_MS;
    while (effects.some(({ read }) => read().length === 0) && performance.now() < warmBy) await pause(100, stop.signal);
    logs.reset();
    const onFault = (label: string) => {
      current = label;
      if (label !== "calm") say(label);
    };
    const random = seededRandom(seed);
    const deps = { system, mailServer, receiver, random, load, effects, onFault, signal: stop.signal };
    const run = await runFaults(deps, seed, minutes);
    await stopLoad();
    await untilSettled(system, stop.signal, say);
    if (stop.signal.aborted) return ["interrupted before its end"];
    await system.retire();
    const audited = await audit(system, mailServer, [...effects, mailEffects(REMINDER, mailServer)], load);
    const [paid, confirmed] = [await payments.audit(), await confirmations.audit()];
    const { misconduct } = system;
    const results = { run, audited, paid, confirmations: confirmed, receiver, load, logs, misconduct };
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
  console.error(`repeat with --seed ${seed} --minutes ${minutes} --rate ${rate}; logs are in ${directory}`);
}
process.exit(breaches.length === 0 ? 0 : 1);
