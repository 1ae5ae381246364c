import type { Database } from "../../database/connection.ts";
import { deleteExpiredKeys } from "../../database/users/idempotency-keys.ts";
import { deleteOldRequests } from "../../database/users/request-confirmation.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";

const EVERY_MS = 60_000;
const BATCH = 1_000;

/**
 * Deletes Idempotency-Keys after their 24 hours, and limits on confirmation mails that are over, so that the tables do not
 * grow with time.
 */
export const startKeyPruner = (deps: { readonly db: Database; readonly log: Logger }): Loop =>
  startLoop({
    name: "key pruner",
    log: deps.log,
    everyMs: EVERY_MS,
    turn: async () => {
      const deleted = [await deleteExpiredKeys(deps.db, BATCH), await deleteOldRequests(deps.db, BATCH)];
      return deleted.includes(BATCH) ? "again" : "idle";
    },
  });
