import { generateKeyPairSync } from "node:crypto";
import type { TestServers } from "../tests/servers.ts";
import { openCheckout } from "./checkout.ts";
import { cpuOf, cpuOfFamily } from "./cpu.ts";
import { forSeconds, signUpMany, times } from "./load.ts";
import { startSink } from "./sink.ts";
import { quantile } from "./statistics.ts";

/** What is measured, by name; CPU in µs for each signup or mail. */
export type Figures = Readonly<Record<string, number>>;

export interface BenchOptions {
  readonly servers: TestServers;
  readonly tree: string;
  /** How long `accept` measures. */
  readonly seconds: number;
  /** How many mails `drain` sends. */
  readonly mails: number;
  /** Mails in flight in a consumer, and its SMTP connections. */
  readonly concurrency: number;
}

type Case = (options: BenchOptions) => Promise<Figures>;

const BACKLOG_CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;
const DRAIN_TIMEOUT_MS = 180_000;

const open = ({ tree, concurrency, servers }: BenchOptions) =>
  openCheckout({ tree, concurrency, redisUrl: servers.environment.TEST_REDIS_URL });

/** CPU time of the stores and one process so far, in µs. */
const cpuNow = ({ pids }: TestServers, pid: number) => ({
  own: cpuOf(pid),
  postgres: cpuOfFamily(pids.postgres),
  redis: cpuOf(pids.redis),
});

const perUnit = (from: ReturnType<typeof cpuNow>, to: ReturnType<typeof cpuNow>, count: number) => ({
  own: (to.own - from.own) / count,
  postgres: (to.postgres - from.postgres) / count,
  redis: (to.redis - from.redis) / count,
});

/** Signups over a number of connections, each with one request in flight; no consumer runs. */
const accept =
  (connections: number): Case =>
  async (options) => {
    await using checkout = await open(options);
    const { pid, port } = await checkout.api();
    await signUpMany({ port, connections, more: forSeconds(WARM_UP_SECONDS) });
    const before = cpuNow(options.servers, pid);
    const { accepted, seconds, latencies } = await signUpMany({ port, connections, more: forSeconds(options.seconds) });
    const cpu = perUnit(before, cpuNow(options.servers, pid), accepted);
    return {
      "accepted/s": accepted / seconds,
      "p50 ms": quantile(latencies, 0.5),
      "p99 ms": quantile(latencies, 0.99),
      "api CPU": cpu.own,
      "Postgres CPU": cpu.postgres,
      "Redis CPU": cpu.redis,
    };
  };

/** Settings by which each mail is signed, by RSA of the usual length, and has a sender of its own in the envelope. */
const signing = (): Readonly<Record<string, string>> => ({
  MAIL_DKIM_SELECTOR: "bench",
  MAIL_DKIM_PRIVATE_KEY: generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  }).privateKey,
  MAIL_BOUNCE_ADDRESS: "bounces@toblug.example",
});

/** A backlog that the checkout's own API has written, against an SMTP server that answers a body after `delayMs`. */
const drain =
  (delayMs: number, settings: () => Readonly<Record<string, string>> = () => ({})): Case =>
  async (options) => {
    const { servers, mails } = options;
    // Between the start of a consumer and its last mails, where it has all that it can have in flight.
    const [from, to] = [Math.ceil(mails * 0.1), Math.ceil(mails * 0.9)];
    await using sink = await startSink(delayMs, [from, to, mails], DRAIN_TIMEOUT_MS);
    await using checkout = await open(options);
    const api = await checkout.api();
    await signUpMany({ port: api.port, connections: BACKLOG_CONNECTIONS, more: times(mails) });
    const { pid } = await checkout.consumer(sink.port, settings());
    const startedAt = await sink.reached(from);
    const before = cpuNow(servers, pid);
    const endedAt = await sink.reached(to);
    const cpu = perUnit(before, cpuNow(servers, pid), to - from);
    await sink.reached(mails);
    return {
      "mails/s": (to - from) / ((endedAt - startedAt) / 1_000),
      "consumer CPU": cpu.own,
      "Postgres CPU": cpu.postgres,
      "Redis CPU": cpu.redis,
    };
  };

export const CASES: Readonly<Record<string, Case>> = {
  "accept-32": accept(32),
  "accept-128": accept(128),
  "drain-0ms": drain(0),
  "drain-50ms": drain(50),
  "drain-0ms-signed": drain(0, signing),
};
