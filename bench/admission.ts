import { parseArgs } from "node:util";
import { aSystem, type RunningProcess } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { cpuOf } from "./cpu.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { meanRatio } from "./statistics.ts";

const HELP = `bun bench/admission.ts [options]: what it costs the API to admit a signup

  --rounds N    of each API; they take turns (default: 20)
  --signups N   of a round (default: 2000)

Signs up at three APIs in turn: without limits, with the default ones, and with limits that are set so high that nobody meets them, which
count every client and are confirmed by Redis. Prints the CPU time of each for a signup, and the mean of the ratios to the first of the
same round. Hashes are at their cheapest, so that the share of admission is the largest that it can be.`;

/** Signups until the compiler has done most of its work. */
const WARM_UP = 15_000;
const CONNECTIONS = 32;
const allLimits = (limit: string) => ({
  RATE_LIMIT_PER_IP: limit,
  RATE_LIMIT_PER_ADDRESS: limit,
  RATE_LIMIT_PER_DOMAIN: limit,
  RATE_LIMIT_GLOBAL: limit,
});
const KINDS = { "no limits": allLimits("0"), "default limits": {}, "limits set": allLimits("1000000") };

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    signups: { type: "string", default: "2000" },
    help: { type: "boolean", default: false },
  },
});
const [rounds, signups] = [Number(values.rounds), Number(values.signups)];

interface Measured {
  readonly name: string;
  readonly api: RunningProcess;
  /** Of each round, in µs. */
  readonly cpu: number[];
}

const signUp = (api: RunningProcess, count: number) =>
  signUpMany({ port: portOf(api.url), connections: CONNECTIONS, more: times(count) });

const run = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem();
  const all: Measured[] = [];
  for (const [name, settings] of Object.entries(KINDS)) all.push({ name, api: await system.api(settings), cpu: [] });
  for (const { api } of all) await signUp(api, WARM_UP);
  for (let round = 0; round < rounds; round += 1) {
    // Each is first as often as last: what one leaves behind falls on each alike.
    for (const { api, cpu } of round % 2 === 0 ? all : all.toReversed()) {
      const before = cpuOf(api.pid);
      await signUp(api, signups);
      cpu.push((cpuOf(api.pid) - before) / signups);
    }
  }
  const [without] = all;
  for (const { name, cpu } of all) {
    const mean = cpu.reduce((sum, each) => sum + each, 0) / cpu.length;
    const ratio = meanRatio(cpu.map((each, round) => each / (without?.cpu[round] ?? Number.NaN)));
    console.log(`${name.padEnd(16)} ${mean.toFixed(1)} µs, ${ratio.mean.toFixed(3)} ± ${ratio.error.toFixed(3)} times`);
  }
};

if (values.help) console.log(HELP);
else await run();
