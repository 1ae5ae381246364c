import { readFileSync } from "node:fs";
import { createSignupWriter } from "../database/users/signup.ts";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { encodeEvent, loggedEvent } from "../stream/events/envelope.ts";
import { readConsumers } from "../stream/group-status.ts";
import { boundGroups, GROUPS, WELCOME_EMAIL } from "../stream/groups.ts";
import { aSignup, committedEvent, silentLog } from "../tests/pipeline.ts";
import { aSystem, type RunningProcess, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";

/**
 * `bun bench/backlog.ts [signups] [seconds]`: what a backlog costs. As many signups wait in the stream, an api and two
 * consumers start on them, as an operator runs them; told are each process's memory, the longest pending list of a
 * consumer, and how long the routes that ask for the backlog and for one event take meanwhile.
 */
const [signups = 200_000, seconds = 60] = process.argv.slice(2).map(Number);
const SLICE = 1_000;
const CONCURRENCY = 20;
const group = WELCOME_EMAIL.name;

/** Resident memory of a process, in MiB: VmRSS of /proc/PID/status. */
const memoryOf = ({ pid }: RunningProcess): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

const openStream = async ({ environment }: System) => {
  const redis = openCommandConnection({
    url: environment["REDIS_URL"] ?? "",
    name: "bench",
    log: silentLog,
    commandTimeoutMs: 10_000,
  });
  await untilReady(redis, 5_000);
  return redis;
};
type Stream = Awaited<ReturnType<typeof openStream>>;

/** Signups as the api leaves them when it has published them; returns the last one's event id. */
const fill = async ({ database, keys }: System, redis: Stream): Promise<string> => {
  const writer = createSignupWriter(database.db, boundGroups(GROUPS));
  await ensureGroup(redis, keys, WELCOME_EMAIL);
  let last = "";
  for (let done = 0; done < signups; done += SLICE) {
    const slice = Array.from({ length: Math.min(SLICE, signups - done) }, () => aSignup());
    await Promise.all(slice.map((each) => writer.write(each)));
    await Promise.all(
      slice.map((signup) => redis.xadd(keys.events, "*", ...encodeEvent(loggedEvent(committedEvent(signup))))),
    );
    await database.db.deleteFrom("outbox").execute();
    last = slice.at(-1)?.event.eventId ?? last;
    if ((done / SLICE) % 20 === 0) console.log(`${done + slice.length} of ${signups} signups wait`);
  }
  return last;
};

const millisecondsOf = async (url: string, token = ""): Promise<number> => {
  const startedAt = performance.now();
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return performance.now() - startedAt;
};

const range = (values: readonly number[], unit: string): string => {
  const [first = Number.NaN, last = Number.NaN] = [values[0], values.at(-1)];
  return `first ${first.toFixed(0)}, last ${last.toFixed(0)}, most ${Math.max(...values).toFixed(0)} ${unit}`;
};

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem();
  const redis = await openStream(system);
  const last = await fill(system, redis);

  const settings = { CONSUMER_CONCURRENCY: String(CONCURRENCY), CLAIM_MIN_IDLE_MS: "10000" };
  const api = await system.api(settings);
  const processes = { api, one: await system.consumer(settings), two: await system.consumer(settings) };
  const memory: Record<string, number[]> = { api: [], one: [], two: [] };
  const [pending, event, backlog]: number[][] = [[], [], []];
  for (let second = 1; second <= seconds; second += 1) {
    await Bun.sleep(1_000);
    for (const [name, each] of Object.entries(processes)) memory[name]?.push(memoryOf(each));
    const consumers = await readConsumers(redis, system.keys, group);
    pending?.push(Math.max(...consumers.map((each) => each.pending)));
    event?.push(await millisecondsOf(`${api.url}/api/v1/events/${last}`));
    const token = system.environment["SERVICE_TOKEN"];
    backlog?.push(await millisecondsOf(`${api.url}/api/v1/backlog/${group}`, token));
    if (second % 10 === 0) console.log(`${second} s: ${system.mailServer.taken.length} mails`);
  }
  const mails = system.mailServer.taken.length;
  console.log(`\n${signups} signups waited; ${mails} mails in ${seconds} s, ${(mails / seconds).toFixed(0)} a second`);
  for (const [name, values] of Object.entries(memory)) console.log(`memory of ${name}: ${range(values, "MiB")}`);
  console.log(`pending of one consumer, ${CONCURRENCY} at a time: ${range(pending ?? [], "entries")}`);
  console.log(`status of the last signup: ${range(event ?? [], "ms")}`);
  console.log(`backlog of the group: ${range(backlog ?? [], "ms")}`);
  redis.disconnect();
};

await main();
