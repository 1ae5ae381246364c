import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { Logger } from "../../observability/logger.ts";
import type { Loop } from "../../runtime/loop.ts";
import type { Settings } from "../../settings/load.ts";
import { GROUPS } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { startGauges } from "./gauges.ts";
import { startGroupKeeper } from "./group-keeper.ts";
import { startJanitor } from "./janitor.ts";
import { startKeyKeeper } from "./key-keeper.ts";
import { startLagKeeper } from "./lag-keeper.ts";
import { startReconciler } from "./reconciler.ts";
import { startRelay } from "./relay.ts";

export interface BackgroundDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  /** This process' name among the APIs. */
  readonly name: string;
  readonly settings: Pick<Settings, "RECONCILE_AFTER_MS" | "STREAM_RETENTION_MS">;
  /** Whether anybody asked for metrics. */
  readonly isMetering: boolean;
}

/** The loops that must turn also when there is no consumer. Any number of APIs may run them at once. */
export const startBackground = ({ db, redis, keys, log, name, settings, isMetering }: BackgroundDeps): Loop[] => {
  const shared = { redis, keys, groups: GROUPS, log };
  return [
    startGroupKeeper(shared),
    startRelay({ db, redis, keys, log }),
    startReconciler({ ...shared, db }, { reconcileAfterMs: settings.RECONCILE_AFTER_MS }),
    startJanitor({ redis, keys, log }, { retentionMs: settings.STREAM_RETENTION_MS }),
    startLagKeeper(shared),
    startKeyKeeper({ db, log }),
    ...(isMetering ? [startGauges({ db, redis, keys, log, name })] : []),
  ];
};
