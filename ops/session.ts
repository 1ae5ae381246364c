import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { openDatabase } from "../database/connection.ts";
import { loadSettings } from "../settings/load.ts";
import { openCommandConnection } from "../stream/connection.ts";
import { groupsOf } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { createAuditLog } from "./actions/audit-log.ts";
import { StoreAway, storesGoneAway, untilStoresAnswer } from "./actions/stores.ts";
import { actorOf } from "./actor.ts";
import type { Answer, CommandContext, Given, Requirements } from "./command.ts";
import {
  LocalSystemStopped,
  localStart,
  readLocalSystem,
  withAddressesIn,
  withLocalAddresses,
} from "./local-addresses.ts";
import { QUIET } from "./quiet.ts";
import { createProgressDisplay } from "./terminal/progress.ts";

const COMMAND_TIMEOUT_MS = 10_000;
/** One for the command, one for its parallel statements, one to ask whether Postgres still answers. */
const DATABASE_POOL = 3;

/** A system that was killed leaves its addresses behind. */
const explained = (isLocal: boolean, data: string | undefined) => (error: unknown) => {
  throw isLocal && error instanceof StoreAway
    ? new LocalSystemStopped(data, { cause: error, found: error.message })
    : error;
};

/** Exports spans alone: a process that lives for seconds has no metrics worth a scrape, nor a port to spare for it. */
const startTracing = async () => {
  const [{ createLogger }, { startTelemetry }] = await Promise.all([
    import("../observability/logger.ts"),
    import("../observability/telemetry.ts"),
  ]);
  const log = createLogger({ level: "silent", service: "ops" });
  return startTelemetry({ ...process.env, OTEL_METRICS_EXPORTER: "none" }, { part: "ops", log });
};

const untilInterrupted = (): AbortSignal => {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
  return controller.signal;
};

/**
 * Runs a command's work connected to both stores.
 *
 * @throws {BadSettings}
 * @throws {LocalSystemStopped} when no settings name the stores, and no local system runs
 * @throws {StoreAway} when a store that the command needs does not answer, before the work or during it
 */
export const withStores = async (
  {
    needs,
    outlivesStores = false,
    publishes = false,
    actor,
    data,
    allowsUnrecorded,
    root,
    say,
    screen,
  }: Requirements & Given & Pick<CommandContext, "say" | "screen"> & { readonly root: string },
  work: (context: CommandContext) => Promise<Answer>,
): Promise<Answer> => {
  const environment =
    data === undefined
      ? withLocalAddresses(process.env, readLocalSystem(join(root, ".local")))
      : withAddressesIn(process.env, resolve(data));
  const isLocal = environment !== process.env;
  const settings = loadSettings("ops", environment);
  const telemetry = publishes ? await startTracing() : undefined;
  const db = openDatabase({ url: settings.DATABASE_URL, poolSize: DATABASE_POOL, applicationName: "ops" });
  const redis = openCommandConnection({
    url: settings.REDIS_URL,
    streamName: settings.STREAM_NAME,
    name: "ops",
    log: QUIET,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
  });
  const progress = createProgressDisplay(process.stderr, () => performance.now());
  const finished = new AbortController();
  const audit = createAuditLog({
    db,
    actor: actorOf(actor, process.env),
    surface: "ops",
    host: hostname(),
    newId: () => Bun.randomUUIDv7(),
    warn: say,
    allowsUnrecorded,
  });
  try {
    await untilStoresAnswer({ db, redis }, needs).catch(explained(isLocal, data));
    const answer = work({
      db,
      redis,
      keys: keysOf(settings.STREAM_NAME),
      groups: groupsOf(settings),
      signal: untilInterrupted(),
      onProgress: progress.show,
      at: () => {},
      audit,
      settings,
      localStart: isLocal ? localStart(data) : undefined,
      say,
      screen,
      now: () => new Date(),
    });
    if (outlivesStores) return await answer;
    return await Promise.race([answer, storesGoneAway({ db, redis }, needs, finished.signal)]);
  } finally {
    finished.abort();
    // Whatever still runs when a store has gone away, or when the work has failed around it.
    await audit.close();
    progress.end();
    redis.disconnect();
    await telemetry?.shutdown();
  }
};
