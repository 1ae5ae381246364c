import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pause } from "../../runtime/loop.ts";
import { aSystem, type RunningProcess } from "../processes.ts";
import { startTestServers } from "../servers.ts";
import { attack } from "./attack.ts";
import { startNormalClient, startSlowClients } from "./bystanders.ts";

const USAGE = `bun run fuzz [--runs N] [--seconds S] [--seed N] [--slow N]

Sends N generated requests (default 20,000) to an API of its own: bodies, headers, hosts, paths, methods and framings that no honest
client sends, half of them by fetch, half over raw sockets. Beside them N slow clients (default 500) never end what they began, and one
normal client signs up ten times a second.

Passes if each case is answered (2xx, 3xx, 4xx, 503; 505 for a wrong version) or, where it is no HTTP, ended; every signup of the
normal client succeeds within 5 s; the API's memory stays flat; nothing is logged as an error. The same seed gives the same cases.
What failed is kept in .local/.

  --seconds S   ends earlier, after S seconds`;

const SIGNUP_WITHIN_MS = 5_000;
/** Until memory is expected to be flat: engines compile and pools fill. */
const WARM_UP_SHARE = 0.25;
const GROWTH_MIB = 96;
/** The server gives a header 12 s, and a body 10 s. */
const SLOW_CUT_OFF_MS = 20_000;

const wholeNumber = (text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`${JSON.stringify(text)} is not a whole number\n\n${USAGE}`);
  process.exit(2);
};

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
    slow: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const runs = wholeNumber(values.runs, 20_000);
const seed = wholeNumber(values.seed, Math.floor(Math.random() * 1_000_000));
const seconds = wholeNumber(values.seconds, 3_600);
const slowCount = wholeNumber(values.slow, 500);

const mebibytesOf = ({ pid }: RunningProcess): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024);

/** Lines that say that something is wrong with us; what is no JSON was printed by a crash. */
const alarmsIn = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => {
    try {
      const { level }: { readonly level?: string } = JSON.parse(line);
      return level === "error" || level === "fatal";
    } catch {
      return true;
    }
  });

const at = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);

/** Returns what was broken. All that was started is stopped, also after an error. */
const main = async (): Promise<readonly string[]> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem();
  const api = await system.api();
  const port = Number(new URL(api.url).port);
  const normal = startNormalClient(api.url);
  const slow = startSlowClients(port, slowCount);
  const slowSince = performance.now();
  const memory: { readonly done: number; readonly mebibytes: number }[] = [];

  const { done, outcomes, breaches } = await attack({
    port,
    seed,
    runs,
    signal: AbortSignal.timeout(seconds * 1_000),
    onProgress: (count) => memory.push({ done: count, mebibytes: mebibytesOf(api) }),
  });
  const took = (performance.now() - slowSince) / 1_000;
  while (slow.open() > 0 && performance.now() - slowSince < SLOW_CUT_OFF_MS) await pause(200);
  const stillOpen = slow.open();
  slow.stop();
  const { refused, times } = await normal.stop();

  const warm = memory.filter((each) => each.done >= done * WARM_UP_SHARE).map(({ mebibytes }) => mebibytes);
  const [first = 0, last = 0] = [warm[0], mebibytesOf(api)];
  const alarms = alarmsIn(api.lines);
  console.log(`seed ${seed}: ${done} cases in ${took.toFixed(1)} s: ${JSON.stringify(outcomes)}`);
  console.log(
    `a normal client: ${times.length} signups, p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, max ${at(times, 1)} ms`,
  );
  console.log(`${slowCount} slow clients: ${stillOpen} not cut off after ${SLOW_CUT_OFF_MS / 1_000} s`);
  console.log(
    `memory of the API: ${first} MiB after the warm-up, ${last} MiB at the end, ${Math.max(0, ...warm)} MiB at most`,
  );

  if (breaches.length > 0) {
    const file = join(import.meta.dir, "..", "..", ".local", `fuzz-${seed}.json`);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, JSON.stringify(breaches, undefined, 2));
    console.log(`${breaches.length} cases that were not answered as they may be are in ${file}`);
  }
  return [
    ...breaches.slice(0, 5).map((breach) => `case ${breach.number}: ${JSON.stringify(breach).slice(0, 600)}`),
    ...(done === 0 ? ["nothing was sent"] : []),
    ...refused.slice(0, 5).map((refusal) => `a normal signup failed: ${refusal}`),
    ...(at(times, 1) > SIGNUP_WITHIN_MS ? [`a normal signup took ${at(times, 1)} ms`] : []),
    ...(stillOpen > 0 ? [`${stillOpen} slow clients are still connected`] : []),
    ...(last - first > GROWTH_MIB ? [`the API's memory grew from ${first} to ${last} MiB`] : []),
    ...alarms.slice(0, 5).map((line) => `logged: ${line}`),
  ];
};

const broken = await main();
for (const each of broken) console.error(`BROKEN ${each}`);
console.log(broken.length === 0 ? "fuzz: passed" : `fuzz: failed; again with --seed ${seed} --runs ${runs}`);
process.exit(broken.length === 0 ? 0 : 1);
