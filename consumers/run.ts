import { openDatabase } from "../database/connection.ts";
import { pingCommits } from "../database/stalled-commits.ts";
import { createLogger } from "../observability/logger.ts";
import { startTelemetry } from "../observability/telemetry.ts";
import { randomHex } from "../observability/trace-context.ts";
import { VERSION } from "../observability/version.ts";
import { giveBackMemory } from "../runtime/give-back-memory.ts";
import { EXIT, untilAskedToStop } from "../runtime/process.ts";
import { listeningAt } from "../settings/listening.ts";
import { loadSettings } from "../settings/load.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { EVENT_TYPES } from "../stream/events/types.ts";
import { type Group, type GroupConfiguration, groupsOf, requireBindings } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { createRedisPing } from "../stream/ping.ts";
import { warnOfRisks } from "../stream/redis-policy.ts";
import { passCheckpoint } from "./engine/checkpoint.ts";
import type { GroupFactory } from "./engine/factory.ts";
import { registerConsumerGauges } from "./gauges.ts";
import { serveHealth } from "./health.ts";
import { webhookFactory } from "./webhooks/group.ts";

export interface ConsumerRun {
  /** Every group of this code. */
  readonly groups: readonly Group[];
  /** The factory of each group, by its name. */
  readonly factories: ReadonlyMap<string, GroupFactory>;
  /** Groups to run, by name; all if empty. */
  readonly named: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Time limit of a command. */
const COMMAND_TIMEOUT_MS = 2_000;
/** Longest wait for a store at the start; afterwards the loops retry. */
const FIRST_CONNECT_MS = 2_000;
/** Postgres connections of one consumer: look-ups, claims, settlements and leases, all in batches. */
const DATABASE_POOL = 4;

/** An unknown name in `--group`. */
export class UnknownGroup extends Error {
  override readonly name = "UnknownGroup";
}

/**
 * The named groups, each with its factory; those of receivers of webhooks among them.
 *
 * @throws {UnknownGroup} naming the groups that exist
 */
const chosenGroups = ({ groups, factories, named }: ConsumerRun, configuration: GroupConfiguration) => {
  const known = groupsOf(configuration, groups).flatMap((group) => {
    const factory = factories.get(group.name) ?? webhookFactory(configuration.receivers, group.name);
    return factory === undefined ? [] : [{ group, factory }];
  });
  const names = known.map(({ group }) => group.name);
  const unknown = named.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new UnknownGroup(`no group is named ${unknown.join(", ")}; expected one of: ${names.join(", ")}`);
  }
  return known.filter(({ group }) => named.length === 0 || named.includes(group.name));
};

/** Runs a consumer of one or more groups until it is asked to stop. Returns the exit code. */
export const runConsumer = async (run: ConsumerRun): Promise<number> => {
  // First: as PID 1 of a container, a process without a handler ignores SIGTERM.
  const askedToStop = untilAskedToStop();
  const { environment } = run;
  requireBindings(run.groups);
  const settings = loadSettings("consumer", environment, (receivers) =>
    chosenGroups(run, { receivers }).flatMap(({ factory }) => factory.requires),
  );
  const chosen = chosenGroups(run, settings);
  const log = createLogger({ level: settings.LOG_LEVEL, service: "consumer" });
  const telemetry = await startTelemetry(environment, { part: "consumer", log });
  giveBackMemory();
  const consumer = `${settings.CONSUMER_NAME}-${randomHex(4)}`;

  const db = openDatabase({ url: settings.DATABASE_URL, poolSize: DATABASE_POOL, applicationName: consumer });
  const opened = chosen.map(({ group, factory }) => factory.open(group, { settings, db, log }));
  const connection = { url: settings.REDIS_URL, streamName: settings.STREAM_NAME, name: consumer, log };
  const redis = openCommandConnection({ ...connection, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  warnOfRisks(redis, log);
  await untilReady(redis, FIRST_CONNECT_MS);

  const keys = keysOf(settings.STREAM_NAME);
  const deps = {
    redis,
    connectBlocking: () => openBlockingConnection({ ...connection, name: `${consumer}-reader` }),
    db,
    keys,
    knownTypes: EVENT_TYPES,
    log,
    now: () => performance.now(),
    wallClock: () => new Date(),
    random: Math.random,
    at: passCheckpoint,
  };
  const { CLAIM_MIN_IDLE_MS: claimMinIdleMs, DRAIN_TIMEOUT_MS: drainTimeoutMs, TRACE_HOP: traceHop } = settings;
  const options = { consumer, claimMinIdleMs, drainTimeoutMs, traceHop };
  const groups = opened.map((group) => group.start(deps, options));
  registerConsumerGauges(groups);
  const stores = { postgres: () => pingCommits(db), redis: createRedisPing(redis, keys) };
  const health = serveHealth(groups, stores, { ...listeningAt(settings), port: settings.CONSUMER_HEALTH_PORT });
  const names = groups.map((group) => group.name);
  log.info({ version: VERSION, consumer, groups: names, health_port: health.port }, "consuming");

  const signal = await askedToStop;
  log.info({ signal }, "asked to stop; finishing what is in flight");
  await Promise.all(groups.map((group) => group.stop()));
  await Promise.all(opened.map((group) => group.close()));
  await health.stop(true);
  redis.disconnect();
  await db.destroy();
  await telemetry.shutdown();
  log.info({}, "stopped");
  return EXIT.stopped;
};
