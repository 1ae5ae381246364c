import type { Logger } from "../../observability/logger.ts";
import type { Settings } from "../../settings/load.ts";

/** OWASP's minimum cost of argon2id (Password Storage Cheat Sheet): 19 MiB, two passes. */
const OWASP = { memoryKib: 19_456, passes: 2 } as const;

/** Warns if hashes cost less than OWASP's minimum: fine for tests, not for people's passwords. */
export const warnOfCheapHashes = (
  settings: Pick<Settings, "PASSWORD_HASH_MEMORY_KIB" | "PASSWORD_HASH_PASSES">,
  log: Logger,
): void => {
  const { PASSWORD_HASH_MEMORY_KIB: memoryKib, PASSWORD_HASH_PASSES: passes } = settings;
  if (memoryKib >= OWASP.memoryKib && passes >= OWASP.passes) return;
  log.warn(
    { memory_kib: memoryKib, passes },
    `password hashing is below OWASP's minimum; set PASSWORD_HASH_MEMORY_KIB >= ${OWASP.memoryKib} and PASSWORD_HASH_PASSES >= ${OWASP.passes}`,
  );
};
