import type { Database } from "../../database/connection.ts";
import { deleteExpiredKeys } from "../../database/users/idempotency-keys.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";

const EVERY_MS = 60_000;
const BATCH = 1_000;

/** Deletes Idempotency-Keys after their 24 hours, so that the table does not grow with time. */
export const startKeyPruner = (deps: { readonly db: Database; readonly log: Logger }): Loop =>
  startLoop({
    name: "key pruner",
    log: deps.log,
    everyMs: EVERY_MS,
    turn: async () => ((await deleteExpiredKeys(deps.db, BATCH)) === BATCH ? "again" : "idle"),
  });
