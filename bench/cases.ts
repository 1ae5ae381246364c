import { generateKeyPairSync } from "node:crypto";
import { backlog } from "./backlog-case.ts";
import type { BenchOptions, Case } from "./case.ts";
import type { Kind } from "./contenders.ts";
import { measureCosts } from "./costs.ts";
import { fanout } from "./fanout-case.ts";
import { forSeconds, signUpMany, times } from "./load.ts";
import { memoryOf } from "./memory.ts";
import type { BenchProcess, Environment, Programs } from "./programs.ts";
import { startSink } from "./sink.ts";
import { quantile } from "./statistics.ts";
import { steady } from "./steady-case.ts";

const ALL = ["ours", "peer"] as const;
const BACKLOG_CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;
/** Where hashes at their real cost share the processors with other programs, more wait than the API lets wait: that is a figure, too. */
const TOO_BUSY = "503";
/** And a millisecond for each mail. */
const DRAIN_TIMEOUT_MS = 180_000;

const open = ({ contender, concurrency, stores }: BenchOptions): Promise<Programs> =>
  contender.open({ concurrency, redisUrl: stores.servers.environment.TEST_REDIS_URL });

/** Signups over a number of connections, each with one request in flight; no consumer runs. */
const accept = (connections: number, of: readonly Kind[], settings: Environment = {}): Case => ({
  of,
  async measure(options) {
    await using programs = await open(options);
    const { pid, port } = await programs.api(settings);
    const load = { port, connections, mayBeRefusedBy: [TOO_BUSY] };
    await signUpMany({ ...load, more: forSeconds(Math.min(WARM_UP_SECONDS, options.seconds)) });
    const used = await measureCosts(options.stores, [pid]);
    const { accepted, seconds, latencies, refused } = await signUpMany({ ...load, more: forSeconds(options.seconds) });
    const costs = await used(accepted);
    return {
      "accepted/s": accepted / seconds,
      ...(refused[TOO_BUSY] === undefined ? {} : { "refused/s": refused[TOO_BUSY] / seconds }),
      "p50 ms": quantile(latencies, 0.5),
      "p99 ms": quantile(latencies, 0.99),
      "api CPU": costs.own[0] ?? Number.NaN,
      "Postgres CPU": costs.postgres,
      "Redis CPU": costs.redis,
      "load CPU": costs.load,
      "WAL bytes": costs.wal,
      "Redis bytes": costs.memory,
    };
  },
});

/** As an operator would set it, and OWASP advises at the least. */
export const REAL_HASH = { PASSWORD_HASH_MEMORY_KIB: "19456", PASSWORD_HASH_PASSES: "2" };

/** Settings by which each mail is signed, by RSA of the usual length, and has a sender of its own in the envelope. */
const signing = (): Environment => ({
  MAIL_DKIM_SELECTOR: "bench",
  MAIL_DKIM_PRIVATE_KEY: generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  }).privateKey,
  MAIL_BOUNCE_ADDRESS: "bounces@toblug.example",
});

interface DrainOptions {
  readonly delayMs: number;
  readonly of?: readonly Kind[];
  /** Instead of what the command line says. */
  readonly concurrency?: number;
  readonly consumers?: number;
  readonly settings?: () => Environment;
}

/**
 * A backlog that the contender's own API has written, against an SMTP server that answers a body after `delayMs`. Measured is
 * what lies between the start of a consumer and its last mails, where it has all that it can have in flight.
 */
const drain = (how: DrainOptions): Case => ({
  of: how.of ?? ["ours", "peer", "limit"],
  async measure(given) {
    const options = { ...given, concurrency: how.concurrency ?? given.concurrency };
    const { stores, contender } = options;
    // Against a slow server none is fast.
    const share = how.delayMs > 0 ? Math.min(1, contender.share) : contender.share;
    const mails = Math.ceil(options.mails * share);
    const [from, to] = [Math.ceil(mails * 0.1), Math.ceil(mails * 0.9)];
    await using sink = await startSink(how.delayMs, [from, to, mails], DRAIN_TIMEOUT_MS + mails);
    await using programs = await open(options);
    if (contender.kind !== "limit") {
      const api = await programs.api();
      await signUpMany({ port: api.port, connections: BACKLOG_CONNECTIONS, more: times(mails) });
    }
    // The limit has no API: it writes its own backlog.
    const settings = { ...how.settings?.(), BACKLOG: String(mails) };
    const consumers: BenchProcess[] = [];
    for (let each = 0; each < (how.consumers ?? 1); each += 1)
      consumers.push(await programs.consumer(sink.port, settings));
    const startedAt = await sink.reached(from);
    const used = await measureCosts(
      stores,
      consumers.map(({ pid }) => pid),
    );
    const endedAt = await sink.reached(to);
    const costs = await used(to - from);
    const memory = consumers.reduce((sum, { pid }) => sum + memoryOf(pid), 0);
    await sink.reached(mails);
    return {
      "mails/s": (to - from) / ((endedAt - startedAt) / 1_000),
      "consumer CPU": costs.own.reduce((sum, each) => sum + each, 0),
      "Postgres CPU": costs.postgres,
      "Redis CPU": costs.redis,
      "WAL bytes": costs.wal,
      "consumers MiB": memory,
    };
  },
});

const E2E_SIGNUPS = 200;
const E2E_EVERY_MS = 50;
const E2E_WARM_UP = 20;

/** From the answer to a signup until its mail is taken, at 20 signups a second: nothing waits for anything else. */
const endToEnd: Case = {
  of: ALL,
  async measure(options) {
    const all = E2E_WARM_UP + E2E_SIGNUPS;
    const marks = Array.from({ length: all }, (_, index) => index + 1);
    await using sink = await startSink(0, marks, DRAIN_TIMEOUT_MS);
    await using programs = await open(options);
    const [api, consumer] = [await programs.api(), await programs.consumer(sink.port)];
    const signUp = (count: number) =>
      signUpMany({ port: api.port, connections: 1, everyMs: E2E_EVERY_MS, more: times(count) });
    await signUp(E2E_WARM_UP);
    await sink.reached(E2E_WARM_UP);
    const memory = { api: memoryOf(api.pid), consumer: memoryOf(consumer.pid) };
    const { latencies, startedAt, sentAt } = await signUp(E2E_SIGNUPS);
    // One after the other: the mails are taken in the order of the answers.
    const takenAt = await Promise.all(marks.slice(E2E_WARM_UP).map((mark) => sink.reached(mark)));
    const waits = takenAt.map((at, index) => at - startedAt - (sentAt[index] ?? 0) - (latencies[index] ?? 0));
    return {
      "answer p50 ms": quantile(latencies, 0.5),
      "mail p50 ms": quantile(waits, 0.5),
      "mail p99 ms": quantile(waits, 0.99),
      "idle api MiB": memory.api,
      "idle consumer MiB": memory.consumer,
    };
  },
};

/** From the start of a process until its first answer, and until its first mail. The hash is cheap, the schema is there. */
const cold: Case = {
  of: ALL,
  async measure(options) {
    await using sink = await startSink(0, [1, 2], DRAIN_TIMEOUT_MS);
    await using programs = await open(options);
    const now = () => performance.timeOrigin + performance.now();
    const signUp = (port: number) => signUpMany({ port, connections: 1, more: times(1) });
    await signUp((await programs.api()).port);
    const startedAt = now();
    await signUp((await programs.api()).port);
    const answeredAt = now();
    const consumer = programs.consumer(sink.port);
    const takenAt = await sink.reached(1);
    await consumer;
    return { "first answer ms": answeredAt - startedAt, "first mail ms": takenAt - answeredAt };
  },
};

const TRACED_SIGNUPS = 4_000;

/** Signups and their mails, with a share of the traces exported; the server at the other end does nothing. */
const traced = (share: number): Case => ({
  of: ["ours"],
  async measure(options) {
    await using receiver = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({}) });
    const exporting = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.port}`,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: String(share),
    };
    const settings = share === 0 ? {} : exporting;
    const warmUp = TRACED_SIGNUPS / 4;
    await using sink = await startSink(0, [warmUp, warmUp + TRACED_SIGNUPS], DRAIN_TIMEOUT_MS);
    await using programs = await open(options);
    const [api, consumer] = [await programs.api(settings), await programs.consumer(sink.port, settings)];
    const signUp = (count: number) => signUpMany({ port: api.port, connections: 32, more: times(count) });
    await signUp(warmUp);
    await sink.reached(warmUp);
    const used = await measureCosts(options.stores, [api.pid, consumer.pid]);
    const { startedAt } = await signUp(TRACED_SIGNUPS);
    const endedAt = await sink.reached(warmUp + TRACED_SIGNUPS);
    // The last batch of spans goes out within a second; its cost counts.
    if (share > 0) await Bun.sleep(1_500);
    const costs = await used(TRACED_SIGNUPS);
    return {
      "signups and mails/s": TRACED_SIGNUPS / ((endedAt - startedAt) / 1_000),
      "api CPU": costs.own[0] ?? Number.NaN,
      "consumer CPU": costs.own[1] ?? Number.NaN,
    };
  },
});

const SCALE_CONCURRENCY = 20;
const scale = (consumers: number): Case =>
  drain({ delayMs: 50, of: ["ours"], consumers, concurrency: SCALE_CONCURRENCY });

export const CASES: Readonly<Record<string, Case>> = {
  "accept-32": accept(32, [...ALL, "limit", "load"]),
  "accept-128": accept(128, [...ALL, "limit", "load"]),
  "accept-argon2": accept(32, [...ALL, "limit"], REAL_HASH),
  "drain-0ms": drain({ delayMs: 0 }),
  "drain-50ms": drain({ delayMs: 50 }),
  "drain-50ms-20": drain({ delayMs: 50, concurrency: 20 }),
  "drain-50ms-200": drain({ delayMs: 50, concurrency: 200 }),
  "drain-0ms-signed": drain({ delayMs: 0, of: ["ours"], settings: signing }),
  e2e: endToEnd,
  cold,
  "backlog-10k": backlog({ waiting: 10_000 }),
  "backlog-100k": backlog({ waiting: 100_000 }),
  "backlog-1m": backlog({ waiting: 1_000_000 }),
  "pending-100k": backlog({ waiting: 100_000, pending: 100_000 }),
  "scale-1": scale(1),
  "scale-4": scale(4),
  "fanout-1": fanout(1),
  "fanout-2": fanout(2),
  "fanout-5": fanout(5),
  steady,
  "tracing-off": traced(0),
  "tracing-10": traced(0.1),
  "tracing-100": traced(1),
};

/** These are asked for by name, alone: they have autovacuum, and most take minutes. */
const LONG: readonly string[] = Object.keys(CASES).filter((name) => CASES[name]?.vacuums === true);
export const USUAL_CASES: readonly string[] = Object.keys(CASES).filter((name) => !LONG.includes(name));
