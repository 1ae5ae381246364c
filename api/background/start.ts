import { pausesOf } from "../../database/groups/pauses.ts";
import { ratesOf } from "../../database/groups/rates.ts";
import type { Loop } from "../../runtime/loop.ts";
import type { Settings } from "../../settings/load.ts";
import { type GaugesDeps, startGauges } from "./gauges.ts";
import { startGroupRepairer } from "./group-repairer.ts";
import { startJanitor } from "./janitor.ts";
import { startKeyPruner } from "./key-pruner.ts";
import { startLagRepairer } from "./lag-repairer.ts";
import { startLedgerPruner } from "./ledger-pruner.ts";
import { startPauseKeeper } from "./pause-keeper.ts";
import { startRateKeeper } from "./rate-keeper.ts";
import { startReconciler } from "./reconciler.ts";
import { startRelay } from "./relay.ts";
import { startReleaser } from "./releaser.ts";

export interface BackgroundDeps extends GaugesDeps {
  readonly settings: Pick<Settings, "LEDGER_RETENTION_MS" | "RECONCILE_AFTER_MS" | "STREAM_RETENTION_MS">;
  /** Whether anybody asked for metrics. */
  readonly isMetering: boolean;
}

/** The loops that must turn also when there is no consumer. Any number of APIs may run them at once. */
export const startBackground = ({
  db,
  redis,
  keys,
  groups,
  log,
  name,
  settings,
  isMetering,
}: BackgroundDeps): Loop[] => {
  const shared = { redis, keys, groups, log };
  const retentionMs = settings.LEDGER_RETENTION_MS;
  return [
    startGroupRepairer(shared),
    startPauseKeeper({ pauses: pausesOf(db), redis, keys, log }),
    startRateKeeper({ rates: ratesOf(db), redis, keys, log }),
    startRelay({ db, redis, keys, log }),
    startReconciler({ ...shared, db }, { reconcileAfterMs: settings.RECONCILE_AFTER_MS }),
    startReleaser({ ...shared, db }),
    startJanitor(shared, { retentionMs: settings.STREAM_RETENTION_MS }),
    startLagRepairer(shared),
    startKeyPruner({ db, log }),
    ...(retentionMs > 0 ? [startLedgerPruner({ ...shared, db }, { retentionMs })] : []),
    ...(isMetering ? [startGauges({ ...shared, db, name })] : []),
  ];
};
