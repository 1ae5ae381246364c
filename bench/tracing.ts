import { readFileSync } from "node:fs";
import { eventually } from "../tests/eventually.ts";
import { startOtlpReceiver } from "../tests/otlp-receiver.ts";
import { aSystem, type RunningProcess, signUpAt } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";

/**
 * `bun bench/tracing.ts [signups] [rounds]`: what tracing costs. An api and a consumer, as an operator runs them, on stores
 * of this run's own; the same signups without telemetry, with a tenth of them sampled, and with all. In turns, so that
 * whatever else the machine does falls on each alike; the medians are told.
 *
 * CPU time per signup is the figure to trust: requests per second on a busy machine tell of the machine.
 */
const [signups = 2_000, rounds = 5] = process.argv.slice(2).map(Number);
const CALLERS = 32;
const TICKS_PER_SECOND = 100;

const MODES = {
  off: {},
  tenth: { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
  all: { OTEL_TRACES_SAMPLER: "parentbased_always_on" },
} as const;
type Mode = keyof typeof MODES;

interface Figures {
  readonly signupsPerSecond: number;
  readonly apiCpuMicroseconds: number;
  readonly consumerCpuMicroseconds: number;
  readonly spans: number;
}

/** CPU time of a process so far, in µs: utime and stime of /proc/PID/stat. */
const cpuMicroseconds = ({ pid }: RunningProcess): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000_000;
};

const signUpMany = async (api: RunningProcess, count: number): Promise<void> => {
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const { status } = await signUpAt(api);
      if (status !== 201) throw new Error(`a signup was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
};

const measure = async (mode: Mode): Promise<Figures> => {
  await using receiver = startOtlpReceiver();
  await using system = await aSystem();
  const exporting = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  const settings = mode === "off" ? {} : { ...exporting, ...MODES[mode] };
  const [api, consumer] = [await system.api(settings), await system.consumer(settings)];
  const arrived = (count: number) => eventually(() => system.mailServer.taken.length >= count, 120_000);
  const warmUp = Math.ceil(signups / 4);
  await signUpMany(api, warmUp);
  await arrived(warmUp);

  const before = [cpuMicroseconds(api), cpuMicroseconds(consumer)] as const;
  const startedAt = performance.now();
  await signUpMany(api, signups);
  const seconds = (performance.now() - startedAt) / 1_000;
  await arrived(warmUp + signups);
  // The last batch of spans goes out a second later; its cost counts.
  if (mode !== "off") await Bun.sleep(1_500);
  const figures = {
    signupsPerSecond: signups / seconds,
    apiCpuMicroseconds: (cpuMicroseconds(api) - before[0]) / signups,
    consumerCpuMicroseconds: (cpuMicroseconds(consumer) - before[1]) / signups,
  };
  for (const each of [api, consumer]) each.kill("SIGTERM");
  await Promise.all([api.exited, consumer.exited]);
  return { ...figures, spans: receiver.spans.length / (warmUp + signups) };
};

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  const modes: readonly Mode[] = ["off", "tenth", "all"];
  const measured: Record<Mode, Figures[]> = { off: [], tenth: [], all: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const mode of modes) measured[mode].push(await measure(mode));
  }
  console.log(`${signups} signups, ${rounds} rounds, medians`);
  for (const mode of modes) {
    const of = (read: (figures: Figures) => number) => median(measured[mode].map(read));
    console.log(
      `${mode.padEnd(6)} ${of((each) => each.signupsPerSecond)
        .toFixed(0)
        .padStart(5)} signups/s` +
        `  api ${of((each) => each.apiCpuMicroseconds)
          .toFixed(0)
          .padStart(5)} µs CPU` +
        `  consumer ${of((each) => each.consumerCpuMicroseconds)
          .toFixed(0)
          .padStart(5)} µs CPU` +
        `  ${of((each) => each.spans).toFixed(2)} spans per signup`,
    );
  }
};

await main();
