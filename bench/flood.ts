import { existsSync, readFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { aSystem } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { FLOOD_SHAPES, type FloodShape } from "./flood-shapes.ts";
import { flood } from "./flooding.ts";
import { forSeconds, type LoadFigures, portOf, signUpMany } from "./load.ts";
import { longestTurnFile, WATCHED } from "./longest-turn.ts";
import { quantile } from "./statistics.ts";

const HELP = `bun bench/flood.ts [options]: what people wait for while one client floods the API

  --shape NAME      of the flood: ${Object.keys(FLOOD_SHAPES).join(", ")};
                    all: each for a short while, a line for each (default: signups)
  --connections N   of the client that floods, each with a request in flight (default: 2500)
  --seconds N       how long it does (default: 20; of all: 6)
  --limits          with the default limits of signups; else there are none, and only the queue of passwords is fair
  --cheap           passwords cost nothing: what people wait for is then beside their hashing

Passwords are hashed at their real cost. People sign up from four addresses, four times a second each at most, first alone, then
during the flood. Everything shares the machine, the client that floods included: of what people waited for, "the API's longest turn" is the
API's own part, in CPU time, for each step of a signup.`;

const PEOPLE = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"];
/** Below the default limit of a client, with the seconds that it runs alone. */
const EVERY_MS = 250;
const ALONE_SECONDS = 5;
/** Between two shapes, for what one leaves behind. */
const REST_MS = 1_500;

const SETTINGS = { ...WATCHED, TRUSTED_PROXIES: "127.0.0.0/8", TRUSTED_PROXY_HEADER: "x-forwarded-for" };
const REAL_HASHES = { PASSWORD_HASH_MEMORY_KIB: "19456", PASSWORD_HASH_PASSES: "2" };
const NO_LIMITS = {
  RATE_LIMIT_PER_IP: "0",
  RATE_LIMIT_PER_ADDRESS: "0",
  RATE_LIMIT_PER_DOMAIN: "0",
  RATE_LIMIT_GLOBAL: "0",
};

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "signups" },
    connections: { type: "string", default: "2500" },
    seconds: { type: "string" },
    limits: { type: "boolean", default: false },
    cheap: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    /** Of the API: this process floods it, and prints its figures. */
    flood: { type: "string" },
  },
});
const names = values.shape === "all" ? Object.keys(FLOOD_SHAPES) : [values.shape];
const connections = Number(values.connections);
const seconds = Number(values.seconds ?? (names.length > 1 ? 6 : 20));

const signUpFrom = (client: string, port: number, forHowLong: number) =>
  signUpMany({
    port,
    connections: 1,
    more: forSeconds(forHowLong),
    headers: { "X-Forwarded-For": client },
    mayBeRefusedBy: ["429", "503"],
    everyMs: EVERY_MS,
  });

const shown = (name: string, { accepted, seconds: took, latencies, refused }: LoadFigures): string => {
  const statuses = Object.entries(refused).map(([status, count]) => `${status}: ${count}`);
  const [p50, p99, most] = [quantile(latencies, 0.5), quantile(latencies, 0.99), Math.max(...latencies)];
  const times = `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, most ${most.toFixed(0)} ms`;
  return `${name.padEnd(24)} ${accepted} accepted in ${took.toFixed(0)} s, ${times}; refused ${statuses.join(", ") || "none"}`;
};

/** What those waited for who asked within each second: the opening burst of a flood is over within one. */
const eachSecond = ({ latencies, sentAt }: LoadFigures): string => {
  const bySecond = Map.groupBy(latencies.entries(), ([index]) => Math.floor((sentAt[index] ?? 0) / 1_000));
  const lines = [...bySecond].map(([second, entries]) => {
    const times = entries.map(([, ms]) => ms);
    const [p50, p99, most] = [quantile(times, 0.5), quantile(times, 0.99), Math.max(...times)];
    return `  ${String(second).padStart(4)} ${[times.length, p50, p99, most].map((value) => value.toFixed(0).padStart(9)).join("")}`;
  });
  return [`second accepted   p50 ms   p99 ms  most ms`, ...lines].join("\n");
};

const together = (all: readonly LoadFigures[]): LoadFigures => ({
  accepted: all.reduce((sum, { accepted }) => sum + accepted, 0),
  seconds: Math.max(...all.map((each) => each.seconds)),
  latencies: all.flatMap(({ latencies }) => latencies),
  startedAt: Math.min(...all.map((each) => each.startedAt)),
  sentAt: all.flatMap(({ sentAt }) => sentAt),
  refused: Object.fromEntries(
    ["429", "503"].flatMap((status) => {
      const count = all.reduce((sum, { refused }) => sum + (refused[status] ?? 0), 0);
      return count === 0 ? [] : [[status, count]];
    }),
  ),
});

const people = async (port: number, forHowLong: number): Promise<LoadFigures> =>
  together(await Promise.all(PEOPLE.map((client) => signUpFrom(client, port, forHowLong))));

const shapeOf = (name: string): FloodShape => {
  const shape = FLOOD_SHAPES[name];
  if (shape === undefined) throw new Error(`no shape ${name}: ${Object.keys(FLOOD_SHAPES).join(", ")}`);
  return shape;
};

/** In a process of its own: the times of people must not contain its work. */
const startFlood = (name: string, port: number) =>
  Bun.spawn(
    [
      ...[process.execPath, import.meta.path, `--flood=${port}`, `--shape=${name}`],
      ...[`--connections=${connections}`, `--seconds=${seconds}`],
    ],
    { stdout: "pipe", stderr: "inherit" },
  );

const run = async (): Promise<void> => {
  for (const name of names) shapeOf(name);
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  const settings = { ...SETTINGS, ...(values.cheap ? {} : REAL_HASHES), ...(values.limits ? {} : NO_LIMITS) };
  await using system = await aSystem({ settings });
  const { url, pid } = await system.api();
  const port = portOf(url);
  const turns = longestTurnFile(pid);
  console.log(shown("people alone", await people(port, ALONE_SECONDS)));
  for (const name of names) {
    rmSync(turns, { force: true });
    const child = startFlood(name, port);
    const [flooded, answers] = await Promise.all([people(port, seconds), new Response(child.stdout).text()]);
    await child.exited;
    const longest = existsSync(turns) ? `${readFileSync(turns, "utf8")} ms of CPU` : "unknown";
    console.log(`${shown(name, flooded)}; the API's longest turn ${longest}; the flood ${answers.trim()}`);
    if (names.length === 1) console.log(eachSecond(flooded));
    else await Bun.sleep(REST_MS);
  }
  rmSync(turns, { force: true });
};

const runFlood = async (port: number): Promise<void> => {
  const { answers, sent } = await flood(shapeOf(values.shape), port, connections, performance.now() + seconds * 1_000);
  const counts = Object.entries(answers).map(([answer, count]) => `${answer}: ${count}`);
  console.log(`sent ${sent}, was answered ${counts.join(", ") || "nothing"}`);
};

if (values.help) console.log(HELP);
else if (values.flood === undefined) await run();
else await runFlood(Number(values.flood));
