import { createHmac } from "node:crypto";
import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import type { Logger } from "../../observability/logger.ts";
import type { Settings } from "../../settings/load.ts";
import type { Keys } from "../../stream/keys.ts";
import { takeLimits } from "../../stream/scripts/take-limits.ts";
import { type Admit, createAdmission } from "./admission.ts";
import { KEEP_MS, limitsOf } from "./limits.ts";

export interface OpenAdmissionDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly settings: Settings;
  readonly log: Logger;
}

/** Admission by the settings' limits, in the Redis and with the key that all processes have. */
export const openAdmission = ({ db, redis, keys, settings, log }: OpenAdmissionDeps): Admit => {
  const limits = limitsOf(settings);
  const signingKey = createConfirmationKey(db, settings.CONFIRMATION_SECRET);
  return createAdmission({
    limits,
    take: (requests) => takeLimits(redis, requests, { limits, keepMs: KEEP_MS }),
    keys,
    // Made of the key that signs links, and not that key: what is in Redis helps nobody to sign.
    readDigestKey: async () =>
      createHmac("sha256", await signingKey())
        .update("admission")
        .digest(),
    now: () => performance.now(),
    log,
  });
};
