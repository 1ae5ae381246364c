import { readFileSync } from "node:fs";
import { readConsumers } from "../stream/group-status.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { aSystem, type RunningProcess, signUpAt } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { openStream } from "./open-stream.ts";

/**
 * `bun bench/backlog.ts [signups] [seconds]`: the cost of a backlog. As many signups are in the stream when an api and two
 * consumers start, as an operator runs them. It prints each process's memory, the longest pending list of a consumer, and
 * how long the routes that ask for the backlog and for one event take meanwhile.
 */
const [signups = 200_000, seconds = 60] = process.argv.slice(2).map(Number);
const CONNECTIONS = 64;
const CONCURRENCY = 20;
const group = WELCOME_EMAIL.name;

/** Resident memory of a process, in MiB: VmRSS of /proc/PID/status. */
const memoryOf = ({ pid }: RunningProcess): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

/** Signs people up while no consumer runs; returns the last one's event id. */
const fill = async (api: RunningProcess): Promise<string> => {
  await signUpMany({ port: portOf(api.url), connections: CONNECTIONS, more: times(signups - 1) });
  const { eventId } = await signUpAt(api);
  console.log(`${signups} signups wait`);
  return eventId;
};

const millisecondsOf = async (url: string, token?: string): Promise<number> => {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const startedAt = performance.now();
  const response = await fetch(url, { headers });
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
  const settings = { CONSUMER_CONCURRENCY: String(CONCURRENCY), CLAIM_MIN_IDLE_MS: "10000" };
  const filling = await system.api();
  const last = await fill(filling);
  filling.kill("SIGTERM");
  await filling.exited;

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
