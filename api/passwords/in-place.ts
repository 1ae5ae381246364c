import { hashNow } from "./hash-now.ts";
import { failedHash, type PasswordHasher } from "./hasher.ts";
import { costOf } from "./outdated.ts";

/** argon2id's cost (RFC 9106). */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** Memory times passes that take argon2id no longer than a message takes to a thread and back: some 50 µs. */
const MOST_IN_PLACE = 64;

/** Whether a hash is made sooner than another thread could be asked to. OWASP's minimum is 600 times as much. Pure. */
export const isCheap = ({ memoryKib, passes }: Argon2Cost): boolean => memoryKib * passes <= MOST_IN_PLACE;

/** The hasher, but what is cheaper than a thread is done in place: at the costs of tests and benchmarks, never at a real one. */
export const cheapInPlace = (hasher: PasswordHasher, cost: Argon2Cost): PasswordHasher => ({
  ...hasher,
  async hash(password, caller) {
    if (!isCheap(cost)) return hasher.hash(password, caller);
    const result = hashNow({ kind: "hash", password, memoryKib: cost.memoryKib, passes: cost.passes });
    if (result.kind !== "hash") throw failedHash(result);
    return result.hash;
  },
  async verify(password, hash, caller) {
    const made = costOf(hash);
    if (made === undefined || !isCheap(made)) return hasher.verify(password, hash, caller);
    const result = hashNow({ kind: "verify", password, hash });
    if (result.kind !== "verify") throw failedHash(result);
    return result.matches;
  },
});
