import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pause } from "../../runtime/loop.ts";
import { audit, countUnfinished } from "./audit.ts";
import { faultSequence } from "./faults.ts";
import { startLoad } from "./load.ts";
import { startChaoticMailServer } from "./mail-server.ts";
import { seededRandom } from "./random.ts";
import { breachesOf, type Run, report } from "./report.ts";
import { startChaosSystem } from "./system.ts";

const USAGE = `bun run chaos [--minutes N] [--seed S] [--rate R]

Runs two APIs, three consumers, Postgres, Redis and a mail server that misbehaves under a steady load of signups, breaks them
at random for N minutes (default 1), lets the dust settle, and audits. The seed repeats the sequence of faults. Exit code 1 on
any breach of a promise, or if the run provoked too little to prove anything.`;

const RECOVERY_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 120_000;
const CALM_MS = 1_500;

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
const random = seededRandom(seed);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

const local = join(import.meta.dir, "..", "..", ".local");
mkdirSync(local, { recursive: true });
const directory = mkdtempSync(join(local, `chaos-${seed}-`));

let current = "calm";
const mailServer = await startChaoticMailServer(() => current);
const system = await startChaosSystem(directory, mailServer);
const urls = system.victims.filter(({ kind }) => kind === "api").map(({ url }) => url);
await pause(2_000, stop.signal);
const startedAt = performance.now();
const load = startLoad(urls, number(values.rate, 25), seededRandom(seed + 1));
const run: Run = { seed, recoveries: new Map(), faults: 0, notRecovered: [] };

const say = (what: string) => {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4);
  console.log(`${seconds} s  ${load.accepted.length} accepted  ${mailServer.taken.length} mails  ${what}`);
};

/** From the healing to the first mail of somebody who signed up after it. */
const recovery = async (): Promise<number | undefined> => {
  const healedAt = performance.now();
  while (performance.now() - healedAt < RECOVERY_TIMEOUT_MS && !stop.signal.aborted) {
    const fresh = new Set(load.accepted.filter(({ at }) => at > healedAt).map(({ eventId }) => eventId));
    if (mailServer.taken.some(({ eventId }) => fresh.has(eventId))) return performance.now() - healedAt;
    await pause(50, stop.signal);
  }
  return undefined;
};

for (const fault of faultSequence({ system, mailServer, random })) {
  const isOver = performance.now() - startedAt > minutes * 60_000;
  if (stop.signal.aborted || (isOver && run.faults >= 5)) break;
  current = fault.label;
  say(fault.label);
  run.faults += 1;
  await fault.inflict();
  await pause(fault.lastsMs, stop.signal);
  await fault.heal();
  const took = await recovery();
  if (took === undefined) run.notRecovered.push(fault.label);
  else run.recoveries.set(fault.kind, [...(run.recoveries.get(fault.kind) ?? []), took]);
  await pause(CALM_MS, stop.signal);
  current = "calm";
}

await load.stop();
say("letting the dust settle");
const settleBy = performance.now() + SETTLE_TIMEOUT_MS;
while ((await countUnfinished(system)) !== 0 && performance.now() < settleBy && !stop.signal.aborted) {
  await pause(1_000, stop.signal);
}
const books = await audit(system, mailServer, load);
const breaches = stop.signal.aborted ? ["stopped before its end"] : breachesOf(run, books, system);
console.log(report(run, books, system, load));
await system[Symbol.asyncDispose]();
await mailServer[Symbol.asyncDispose]();
if (breaches.length === 0) {
  rmSync(directory, { recursive: true, force: true });
  console.log("every promise held");
} else {
  console.error(`\nBREACHES:\n${breaches.map((breach) => `  ${breach}`).join("\n")}`);
  console.error(`repeat it with --seed ${seed} --minutes ${minutes}; logs are in ${directory}`);
}
process.exit(breaches.length === 0 ? 0 : 1);
