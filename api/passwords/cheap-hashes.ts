import { failedHash, type PasswordHasher } from "./hasher.ts";
import { costOf } from "./outdated.ts";

/** argon2id's cost (RFC 9106). */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** Memory times passes that take argon2id no longer than a message takes to a thread of ours and back: some 50 µs. */
const MOST_CHEAP = 64;

/** Whether a hash is made sooner than a thread of ours could be asked to. OWASP's minimum is 600 times as much. Pure. */
export const isCheap = ({ memoryKib, passes }: Argon2Cost): boolean => memoryKib * passes <= MOST_CHEAP;

/**
 * The hasher, but what is cheaper than a message to its threads is done by Bun's, which cost the main thread 4 µs and not the 18 that a
 * hash takes in place: at the costs of tests and benchmarks, never at a real one, which would hold up the files and names that Bun's
 * threads look up as well.
 */
export const cheapByBun = (hasher: PasswordHasher, cost: Argon2Cost): PasswordHasher => ({
  ...hasher,
  async hash(password, caller) {
    if (!isCheap(cost)) return hasher.hash(password, caller);
    const { memoryKib: memoryCost, passes: timeCost } = cost;
    return Bun.password.hash(password, { algorithm: "argon2id", memoryCost, timeCost }).catch(failed);
  },
  async verify(password, hash, caller) {
    const made = costOf(hash);
    if (made === undefined || !isCheap(made)) return hasher.verify(password, hash, caller);
    return Bun.password.verify(password, hash).catch(failed);
  },
});

const failed = (error: unknown): never => {
  throw failedHash({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
};
