import { eventually } from "../tests/eventually.ts";
import { startOtlpReceiver } from "../tests/otlp-receiver.ts";
import { aSystem } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { cpuOf } from "./cpu.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { median } from "./statistics.ts";

/**
 * `bun bench/tracing.ts [signups] [rounds]`: what tracing costs. An api and a consumer, as an operator runs them, on stores
 * of this run's own; the same signups without telemetry, with a tenth of them sampled, and with all. In turns, so that
 * other load on the machine affects all alike; it prints the medians.
 *
 * CPU time per signup is the figure to trust: requests per second depend on the load of the machine.
 */
const [signups = 2_000, rounds = 5] = process.argv.slice(2).map(Number);
const CONNECTIONS = 32;

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

const measure = async (mode: Mode): Promise<Figures> => {
  await using receiver = startOtlpReceiver();
  await using system = await aSystem();
  const exporting = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
  const settings = mode === "off" ? {} : { ...exporting, ...MODES[mode] };
  const [api, consumer] = [await system.api(settings), await system.consumer(settings)];
  const arrived = (count: number) => eventually(() => system.mailServer.taken.length >= count, 120_000);
  const signUp = (count: number) => signUpMany({ port: portOf(api.url), connections: CONNECTIONS, more: times(count) });
  const warmUp = Math.ceil(signups / 4);
  await signUp(warmUp);
  await arrived(warmUp);

  const before = [cpuOf(api.pid), cpuOf(consumer.pid)] as const;
  const { seconds } = await signUp(signups);
  await arrived(warmUp + signups);
  // The last batch of spans goes out a second later; its cost counts.
  if (mode !== "off") await Bun.sleep(1_500);
  const figures = {
    signupsPerSecond: signups / seconds,
    apiCpuMicroseconds: (cpuOf(api.pid) - before[0]) / signups,
    consumerCpuMicroseconds: (cpuOf(consumer.pid) - before[1]) / signups,
  };
  for (const each of [api, consumer]) each.kill("SIGTERM");
  await Promise.all([api.exited, consumer.exited]);
  return { ...figures, spans: receiver.spans.length / (warmUp + signups) };
};

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
