import { parseArgs } from "node:util";
import { aSystem } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { forSeconds, type LoadFigures, portOf, signUpMany } from "./load.ts";
import { quantile } from "./statistics.ts";

const HELP = `bun bench/flood.ts [options]: what people wait for while one client floods the API with signups

  --connections N   of the client that floods, each with a request in flight (default: 2500)
  --seconds N       how long it does (default: 20)
  --limits          with the default limits; else there are none, and only the queue of passwords is fair

Passwords are hashed at their real cost. People sign up from four addresses, four times a second each at most, first alone, then
during the flood. Everything shares the machine, the client that floods included.`;

const PEOPLE = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"];
const FLOODING = "198.51.100.99";
/** Below the default limit of a client, with the seconds that it runs alone. */
const EVERY_MS = 250;
const ALONE_SECONDS = 5;

const SETTINGS = {
  PASSWORD_HASH_MEMORY_KIB: "19456",
  PASSWORD_HASH_PASSES: "2",
  TRUSTED_PROXIES: "127.0.0.0/8",
};
const NO_LIMITS = {
  RATE_LIMIT_PER_IP: "0",
  RATE_LIMIT_PER_ADDRESS: "0",
  RATE_LIMIT_PER_DOMAIN: "0",
  RATE_LIMIT_GLOBAL: "0",
};

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "2500" },
    seconds: { type: "string", default: "20" },
    limits: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    /** Of the API: this process floods it, and prints its figures. */
    flood: { type: "string" },
  },
});
const [connections, seconds] = [Number(values.connections), Number(values.seconds)];

const signUpFrom = (client: string, port: number, count: number, forHowLong: number, everyMs: number) =>
  signUpMany({
    port,
    connections: count,
    more: forSeconds(forHowLong),
    headers: { "X-Forwarded-For": client },
    mayBeRefusedBy: ["429", "503"],
    everyMs,
  });

const shown = (name: string, { accepted, seconds: took, latencies, refused }: LoadFigures): string => {
  const statuses = Object.entries(refused).map(([status, count]) => `${status}: ${count}`);
  const [p50, p99, most] = [quantile(latencies, 0.5), quantile(latencies, 0.99), Math.max(...latencies)];
  const times = `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, most ${most.toFixed(0)} ms`;
  return `${name.padEnd(20)} ${accepted} accepted in ${took.toFixed(0)} s, ${times}; refused ${statuses.join(", ") || "none"}`;
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
  together(await Promise.all(PEOPLE.map((client) => signUpFrom(client, port, 1, forHowLong, EVERY_MS))));

const run = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem({ settings: { ...SETTINGS, ...(values.limits ? {} : NO_LIMITS) } });
  const port = portOf((await system.api()).url);
  console.log(shown("people alone", await people(port, ALONE_SECONDS)));
  // In a process of its own: the times of people must not contain its work.
  const flood = Bun.spawn(
    [process.execPath, import.meta.path, `--flood=${port}`, `--connections=${connections}`, `--seconds=${seconds}`],
    { stdout: "inherit", stderr: "inherit" },
  );
  const flooded = await people(port, seconds);
  console.log(`${shown("people in the flood", flooded)}\n${eachSecond(flooded)}`);
  await flood.exited;
};

if (values.help) console.log(HELP);
else if (values.flood === undefined) await run();
else console.log(shown("the flood", await signUpFrom(FLOODING, Number(values.flood), connections, seconds, 0)));
