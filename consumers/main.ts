import { parseArgs } from "node:util";
import { openDatabase } from "../database/connection.ts";
import { createLogger } from "../observability/logger.ts";
import { startTelemetry } from "../observability/telemetry.ts";
import { randomHex } from "../observability/trace-context.ts";
import { EXIT, failedToStart, untilAskedToStop } from "../runtime/process.ts";
import { VERSION } from "../runtime/version.ts";
import { loadSettings } from "../settings/load.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { keysOf } from "../stream/keys.ts";
import { warnOfRisks } from "../stream/warn-of-risks.ts";
import { passCheckpoint } from "./engine/checkpoint.ts";
import { startGroup } from "./engine/group.ts";
import { registerConsumerGauges } from "./gauges.ts";
import { serveHealth } from "./health.ts";
import { bindGroups } from "./registry.ts";

/** Commands answer within this time, or count as failed. */
const COMMAND_TIMEOUT_MS = 2_000;
/** At a start the store is given so long before the first try, which then waits by itself. */
const FIRST_CONNECT_MS = 2_000;
/** Postgres connections of one consumer: claims, settlements and leases, all in batches. */
const DATABASE_POOL = 4;

const main = async (): Promise<number> => {
  // First of all: as PID 1 of a container, a process that does not listen yet never hears its SIGTERM.
  const askedToStop = untilAskedToStop();
  const { values } = parseArgs({ options: { group: { type: "string", multiple: true, default: [] } } });
  const settings = loadSettings("consumer", process.env);
  const log = createLogger({ level: settings.LOG_LEVEL, service: "consumer" });
  const telemetry = await startTelemetry(process.env, { part: "consumer", log });
  const bindings = bindGroups(values.group, settings);
  const consumer = `${settings.CONSUMER_NAME}-${randomHex(4)}`;

  const db = openDatabase({ url: settings.DATABASE_URL, poolSize: DATABASE_POOL, applicationName: consumer });
  const connection = { url: settings.REDIS_URL, name: consumer, log };
  const redis = openCommandConnection({ ...connection, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  warnOfRisks(redis, log);
  await untilReady(redis, FIRST_CONNECT_MS);

  const groups = bindings.map(({ group, handler }) =>
    startGroup(
      {
        redis,
        connectBlocking: () => openBlockingConnection({ ...connection, name: `${consumer}-reader` }),
        db,
        keys: keysOf(settings.STREAM_NAME),
        handler,
        log,
        now: () => performance.now(),
        wallClock: () => new Date(),
        random: Math.random,
        at: passCheckpoint,
      },
      {
        group,
        consumer,
        concurrency: settings.CONSUMER_CONCURRENCY,
        claimMinIdleMs: settings.CLAIM_MIN_IDLE_MS,
        retryMax: settings.RETRY_MAX,
        retryDelayMs: settings.RETRY_DELAY_MS,
        uncertain: settings.MAIL_UNCERTAIN,
        expireAfterMs: settings.MAIL_EXPIRE_AFTER_MS,
        drainTimeoutMs: settings.DRAIN_TIMEOUT_MS,
        traceHop: settings.TRACE_HOP,
      },
    ),
  );
  registerConsumerGauges(groups, settings.CONSUMER_CONCURRENCY);
  const health = serveHealth(groups, settings.CONSUMER_HEALTH_PORT);
  const names = groups.map((group) => group.name);
  log.info({ version: VERSION, consumer, groups: names, health_port: health.port }, "consuming");

  const signal = await askedToStop;
  log.info({ signal }, "asked to stop; finishing what is in hand");
  await Promise.all(groups.map((group) => group.stop()));
  await Promise.all(bindings.map((binding) => binding.close()));
  await health.stop(true);
  redis.disconnect();
  await db.destroy();
  await telemetry.shutdown();
  log.info({}, "stopped");
  return EXIT.stopped;
};

process.exit(await main().catch(failedToStart));
