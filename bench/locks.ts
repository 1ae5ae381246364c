import { parseArgs } from "node:util";
import { randomHex } from "../observability/trace-context.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { aStranger, type Stranger } from "../tests/stranger.ts";
import { forSeconds, portOf, signUpMany } from "./load.ts";
import { quantile } from "./statistics.ts";

const HELP = `bun bench/locks.ts [options]: what signups wait for while somebody else holds locks that others of them need

  --connections N   of the signups that need no lock (default: 100), each twice a second at most
  --asking N        of those that need the locks, each again after 50 ms (default: 10)
  --seconds N       of each half: without the lock, and with it (default: 5)
  --cases A,B       some of the cases alone
  --private         with SIGNUP_DISCLOSURE=private

For each case: the times of the signups that need no lock, without the lock and with it; then how many asked for what is locked,
and were answered what. Everything shares the machine.`;

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "100" },
    seconds: { type: "string", default: "5" },
    asking: { type: "string", default: "10" },
    cases: { type: "string" },
    private: { type: "boolean", default: false },
    /** Of the API: this process asks it for what is locked, and prints what it was answered. */
    ask: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const [connections, seconds, asking] = [Number(values.connections), Number(values.seconds), Number(values.asking)];

const EVERY_MS = 500;
const ASK_AGAIN_MS = 50;
const PARTS = 25;
const NO_LIMITS = {
  RATE_LIMIT_PER_IP: "0",
  RATE_LIMIT_PER_ADDRESS: "0",
  RATE_LIMIT_PER_DOMAIN: "0",
  RATE_LIMIT_GLOBAL: "0",
};

/** What a signup asks for: an address of its own if not given, a name alike. */
interface Wanted {
  readonly email?: string;
  readonly user_name?: string;
}

interface Case {
  readonly name: string;
  /** Takes the locks; returns who holds them, and what those ask for who need them. */
  readonly hold: (
    system: System,
  ) => Promise<{ readonly holders: readonly Stranger[]; readonly wanted: readonly Wanted[] }>;
}

const person = () => `held-${randomHex(6)}`;

const insertOf = (name: string): string =>
  `insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
   values ('${Bun.randomUUIDv7()}', '${name}', '${name}', '${name}@inbox.example', '${name}@inbox.example', 'x', 'vi')`;

const emailOf = (name: string): Wanted => ({ email: `${name}@inbox.example` });

const people = (count: number): readonly string[] => Array.from({ length: count }, person);

const newAddresses =
  (count: number) =>
  async ({ database }: System) => {
    const names = people(count);
    return { holders: [await aStranger(database.url, ...names.map(insertOf))], wanted: names.map(emailOf) };
  };

const existing =
  (count: number, how: string) =>
  async ({ database }: System) => {
    const names = people(count);
    const maker = await aStranger(database.url, ...names.map(insertOf));
    await maker.end("commit");
    const listed = names.map((name) => `'${name}'`).join(", ");
    return {
      holders: [await aStranger(database.url, how.replace("$names", listed))],
      wanted: names.map(emailOf),
    };
  };

const table =
  (mode: string) =>
  async ({ database }: System) => ({
    holders: [await aStranger(database.url, `lock table users in ${mode} mode`)],
    wanted: [],
  });

const CASES: readonly Case[] = [
  { name: "nothing", hold: async () => ({ holders: [], wanted: [] }) },
  { name: "new-1", hold: newAddresses(1) },
  { name: "new-20", hold: newAddresses(20) },
  { name: "new-200", hold: newAddresses(200) },
  { name: "new-2000", hold: newAddresses(2_000) },
  { name: "update-20", hold: existing(20, "select id from users where user_name in ($names) for update") },
  { name: "delete-20", hold: existing(20, "delete from users where user_name in ($names)") },
  {
    name: "rename-20",
    hold: existing(20, "update users set email_key = email_key || '.old' where user_name in ($names)"),
  },
  {
    name: "advisory",
    hold: async ({ database }) => ({
      holders: [await aStranger(database.url, "select pg_advisory_lock(1)")],
      wanted: [],
    }),
  },
  { name: "share", hold: table("share") },
];

const ask = async (port: number, { email, user_name }: Wanted): Promise<string> => {
  const name = person();
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/user/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      user_name: user_name ?? name,
      email: email ?? `${name}@inbox.example`,
      password: "correct horse battery staple",
    }),
  });
  await response.arrayBuffer();
  return String(response.status);
};

/** Asks for what is locked, over and over. */
const askFor = async (port: number, wanted: readonly Wanted[], more: () => boolean): Promise<readonly string[]> => {
  const answers: string[] = [];
  let next = 0;
  const client = async () => {
    while (more()) {
      const each = wanted[next % wanted.length];
      next += 1;
      if (each === undefined) return;
      answers.push(await ask(port, each));
      await Bun.sleep(ASK_AGAIN_MS);
    }
  };
  await Promise.all(Array.from({ length: asking }, client));
  return answers;
};

/** In a process of its own: the times of the others must not contain its work. */
const startAsking = async (port: number, wanted: readonly Wanted[]): Promise<string> => {
  if (wanted.length === 0) return "none";
  const child = Bun.spawn([process.execPath, import.meta.path, ...process.argv.slice(2), `--ask=${port}`], {
    stdin: new Blob([JSON.stringify(wanted)]),
    stderr: "inherit",
  });
  return (await new Response(child.stdout).text()).trim();
};

interface Figures {
  readonly latencies: readonly number[];
  readonly refused: number;
}

/** Spread over the time from one request of a connection to its next: all at once, they would wait for each other. */
const neighbours = async (port: number): Promise<Figures> => {
  const parts = await Promise.all(
    Array.from({ length: PARTS }, async (_, part) => {
      await Bun.sleep((part * EVERY_MS) / PARTS);
      const own = Math.ceil(connections / PARTS);
      return signUpMany({
        port,
        connections: own,
        more: forSeconds(seconds),
        mayBeRefusedBy: ["503"],
        everyMs: EVERY_MS,
      });
    }),
  );
  return {
    latencies: parts.flatMap(({ latencies }) => latencies),
    refused: parts.reduce((sum, { refused }) => sum + (refused["503"] ?? 0), 0),
  };
};

const shown = ({ latencies, refused }: Figures): string => {
  const [p50, p99, most] = [quantile(latencies, 0.5), quantile(latencies, 0.99), Math.max(...latencies)];
  const times = [p50, p99, most].map((ms) => ms.toFixed(0)).join(" / ");
  return `${String(latencies.length).padStart(6)} in ${times} ms, 503: ${refused}`;
};

const run = async ({ name, hold }: Case, system: System, port: number): Promise<void> => {
  const before = await neighbours(port);
  const { holders, wanted } = await hold(system);
  const [during, answers] = await Promise.all([neighbours(port), startAsking(port, wanted)]);
  for (const holder of holders) await holder.end("rollback");
  console.log(
    `${name.padEnd(10)} without ${shown(before)}\n${"".padEnd(10)}    with ${shown(during)}; asked ${answers}`,
  );
};

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  const disclosure = { SIGNUP_DISCLOSURE: values.private ? "private" : "open" };
  await using system = await aSystem({ settings: { ...NO_LIMITS, ...disclosure } });
  const port = portOf((await system.api()).url);
  console.log(`${connections} connections; p50 / p99 / most`);
  await neighbours(port);
  const names = values.cases?.split(",");
  for (const each of CASES) if (names?.includes(each.name) ?? true) await run(each, system, port);
};

if (values.help) console.log(HELP);
else if (values.ask === undefined) await main();
else {
  const answers = await askFor(Number(values.ask), await Bun.stdin.json(), forSeconds(seconds));
  const told = Object.entries(Object.groupBy(answers, (answer) => answer));
  console.log(told.map(([status, all]) => `${status}: ${all?.length}`).join(", "));
}
