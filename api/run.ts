import { openDatabase, pingDatabase } from "../database/connection.ts";
import { readBacklog } from "../database/ledger/counts.ts";
import { createPaymentWriter } from "../database/payments/request.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { createLogger } from "../observability/logger.ts";
import { instruments, isTelemetryOn } from "../observability/metrics.ts";
import { startTelemetry } from "../observability/telemetry.ts";
import { createRandomHex, randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { VERSION } from "../observability/version.ts";
import { giveBackMemory } from "../runtime/give-back-memory.ts";
import { faultsOf, type Loop, pause } from "../runtime/loop.ts";
import { EXIT, untilAskedToStop } from "../runtime/process.ts";
import { listeningAt } from "../settings/listening.ts";
import { loadSettings } from "../settings/load.ts";
import {
  openBlockingConnection,
  openCommandConnection,
  openSendingConnection,
  untilReady,
} from "../stream/connection.ts";
import { boundGroups, type Group, groupsOf, requireBindings } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { createRedisPing } from "../stream/ping.ts";
import { warnOfRisks } from "../stream/redis-policy.ts";
import { openAdmission } from "./admission/open.ts";
import { createApp } from "./app.ts";
import { startFaultReporter } from "./background/fault-reporter.ts";
import { startBackground } from "./background/start.ts";
import { createClientOf } from "./client/client.ts";
import { warnOfEitherHeader } from "./client/warn-of-proxies.ts";
import { lazyStores } from "./console/open.ts";
import { createReadiness } from "./health/readiness.ts";
import { openCommonPasswords } from "./passwords/common-passwords.ts";
import { warnOfCheapHashes } from "./passwords/cost.ts";
import { createPasswordHasher } from "./passwords/hasher.ts";
import { cheapInPlace } from "./passwords/in-place.ts";
import { observedHasher } from "./passwords/observe.ts";
import { disclosureOf } from "./signup/disclosure.ts";
import { observedSignups } from "./signup/observe.ts";
import { createPublisher } from "./signup/publisher.ts";
import { watchWrites } from "./signup/watch-writes.ts";
import { createFindEvents } from "./status/event-status.ts";
import { startLiveStatuses } from "./status/live-statuses.ts";
import { createStateWatcher } from "./status/state-watcher.ts";

/** Of what a request waits for: then it goes on without. */
const QUICK_TIMEOUT_MS = 500;
const FIRST_CONNECT_MS = 1_000;
const BACKGROUND_TIMEOUT_MS = 5_000;
const DATABASE_POOL = 10;
/** Longer than the longest wait for a hash. */
const IDLE_TIMEOUT_S = 60;
/** Bun's own limit answers without a body; the app's is lower, and answers problem+json. */
const MAX_BODY_BYTES = 1_073_741_824;

export interface ApiRun {
  /** Every group that this code has. */
  readonly groups: readonly Group[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The API, until it is asked to stop. Returns the exit code. */
export const runApi = async ({ groups: ofCode, environment }: ApiRun): Promise<number> => {
  // First of all: as PID 1 of a container, a process that does not listen yet never hears its SIGTERM.
  const askedToStop = untilAskedToStop();
  requireBindings(ofCode);
  const settings = loadSettings("api", environment);
  const groups = groupsOf(settings, ofCode);
  const log = createLogger({ level: settings.LOG_LEVEL, service: "api" });
  const telemetry = await startTelemetry(environment, { part: "api", log });
  giveBackMemory();
  const keys = keysOf(settings.STREAM_NAME);
  const name = `api-${randomHex(4)}`;

  const db = openDatabase({ url: settings.DATABASE_URL, poolSize: DATABASE_POOL, applicationName: name });
  const connection = { url: settings.REDIS_URL, streamName: settings.STREAM_NAME, log };
  const producer = openSendingConnection({ ...connection, name });
  // Of its own, for it would wait behind the events that a slow Redis has not confirmed.
  const quick = openCommandConnection({ ...connection, name: `${name}-quick`, commandTimeoutMs: QUICK_TIMEOUT_MS });
  const redis = openCommandConnection({
    ...connection,
    name: `${name}-background`,
    commandTimeoutMs: BACKGROUND_TIMEOUT_MS,
  });
  // A store that is away at the start is waited for by each loop itself.
  await Promise.all([producer, quick, redis].map((each) => untilReady(each, FIRST_CONNECT_MS)));
  warnOfRisks(redis, log);
  warnOfCheapHashes(settings, log);
  warnOfEitherHeader(settings, log);

  const { isMetering } = telemetry;
  const loops = startBackground({ db, redis, keys, groups, log, name, settings, isMetering });
  const { signups, refusal } = watchWrites(
    observedSignups(createSignupWriter(db, boundGroups(groups), disclosureOf(settings))),
    () => new Date(),
  );
  const payments = createPaymentWriter(db, boundGroups(groups));
  const publisher = createPublisher({ db, redis: producer, keys, log });
  const cost = { memoryKib: settings.PASSWORD_HASH_MEMORY_KIB, passes: settings.PASSWORD_HASH_PASSES };
  const threads = createPasswordHasher({
    concurrency: settings.PASSWORD_HASH_CONCURRENCY,
    ...cost,
    ...(isTelemetryOn() ? { onStart: (waitedMs) => instruments().passwordHashWait.record(waitedMs / 1_000) } : {}),
  });
  const hasher = observedHasher(cheapInPlace(threads, cost));
  // Before the first signup: what may wait is bounded by what a hash costs.
  await hasher.warmUp();
  const readiness = createReadiness({
    pingDatabase: () => pingDatabase(db),
    pingRedis: createRedisPing(quick, keys),
    faults: () => faultsOf([...loops, reporter]),
    refusal,
  });
  const reporter: Loop = startFaultReporter({ redis, keys, log, name, troubles: readiness.troubles });

  const watcher = createStateWatcher({
    connect: () => openBlockingConnection({ ...connection, name: `${name}-watcher` }),
    channel: keys.status,
    log,
  });
  const live = startLiveStatuses({ findEvents: createFindEvents(db, groups), watcher, log });
  const stopping = new AbortController();
  const ofConsole = lazyStores({ settings, name, log });
  const clientOf = createClientOf(settings.TRUSTED_PROXIES, settings.TRUSTED_PROXY_HEADER);

  const hex = createRandomHex();
  const app = createApp({
    db,
    signups,
    payments,
    hasher,
    commonPasswords: openCommonPasswords(),
    admit: openAdmission({ db, redis: quick, keys, settings, log }),
    groups,
    afterCommit: (event) => publisher.publish(event),
    readiness: () => readiness.check(),
    liveness: () => {
      const all = [...loops, reporter, live];
      const alive = Object.fromEntries(all.map((loop) => [loop.name, loop.isLive()]));
      return { live: Object.values(alive).every(Boolean), loops: alive, faults: faultsOf(all) };
    },
    backlog: async (name) => (groups.some((group) => group.name === name) ? readBacklog(db, name) : undefined),
    live,
    clientOf: (request) => clientOf({ connection: server.requestIP(request)?.address, headers: request.headers }),
    stopping: stopping.signal,
    console: { stores: ofConsole.stores, keys, refusal },
    settings,
    log,
    newId: () => Bun.randomUUIDv7(),
    newTraceContext: () => randomTraceContext(hex),
  });
  const server = Bun.serve({
    ...listeningAt(settings),
    port: settings.PORT,
    fetch: app.fetch,
    idleTimeout: IDLE_TIMEOUT_S,
    maxRequestBodySize: MAX_BODY_BYTES,
  });
  log.info({ version: VERSION, port: server.port }, "listening");

  const signal = await askedToStop;
  log.info({ signal }, "asked to stop; finishing what is in flight");
  readiness.drain();
  stopping.abort();
  // A client that never ends its request must not keep the process: it is cut off when the drain's time is over.
  await Promise.race([server.stop(), pause(settings.DRAIN_TIMEOUT_MS)]);
  await server.stop(true);
  await signups.idle();
  await payments.idle();
  await publisher.idle();
  await Promise.all([...loops, reporter, live].map((loop) => loop.stop()));
  hasher.close();
  watcher.close();
  for (const each of [producer, quick, redis]) each.disconnect();
  await ofConsole.close();
  await db.destroy();
  await telemetry.shutdown();
  log.info({}, "stopped");
  return EXIT.stopped;
};
