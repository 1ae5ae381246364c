import type { Database } from "../../database/connection.ts";
import { deleteExpiredKeys } from "../../database/users/idempotency-keys.ts";
import { deleteOldAttempts } from "../../database/users/password-attempts.ts";
import { deleteOldRepetitions } from "../../database/users/private-signup.ts";
import { deleteOldRequests } from "../../database/users/request-confirmation.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";

const EVERY_MS = 60_000;
const BATCH = 1_000;

const PRUNED = [deleteExpiredKeys, deleteOldRequests, deleteOldRepetitions, deleteOldAttempts];

/**
 * Deletes Idempotency-Keys and answers to repeated signups after their 24 hours, and limits on confirmation mails and on
 * attempts to verify a password that are over, so that the tables do not grow with time.
 */
export const startKeyPruner = (deps: { readonly db: Database; readonly log: Logger }): Loop =>
  startLoop({
    name: "key pruner",
    log: deps.log,
    everyMs: EVERY_MS,
    turn: async () => {
      const deleted: number[] = [];
      for (const deleteOld of PRUNED) deleted.push(await deleteOld(deps.db, BATCH));
      return deleted.includes(BATCH) ? "again" : "idle";
    },
  });
