import type { SignupWriter } from "../../database/signup.ts";
import { observedShare } from "../../observability/database-client.ts";
import { SIGNUP_PASSWORD_HASH_WAITING } from "../../observability/metric-names.ts";
import { registerGauge } from "../../observability/metrics.ts";
import { withSpan } from "../../observability/tracing.ts";
import type { PasswordHasher } from "./password-hasher.ts";

/** The hasher with a span around each hash, waiting in line included, and a gauge of the line. */
export const observedHasher = (hasher: PasswordHasher): PasswordHasher => {
  registerGauge(
    SIGNUP_PASSWORD_HASH_WAITING,
    { unit: "{password}", description: "Passwords that wait to be hashed." },
    () => [{ value: hasher.waiting() }],
  );
  return {
    ...hasher,
    hash: (password, signal) => withSpan("hash password", {}, () => hasher.hash(password, signal)),
    verify: (password, hash, signal) => withSpan("verify password", {}, () => hasher.verify(password, hash, signal)),
  };
};

/** What a signup's one statement writes; it is shared, and so has no span of its own in any one signup's trace. */
const SIGNUP_STATEMENT = "INSERT users INSERT emails INSERT outbox";

/** The writer with a span around each signup's wait for its share of a statement. */
export const observedSignups = (signups: SignupWriter): SignupWriter => ({
  ...signups,
  write: (signup) => observedShare(SIGNUP_STATEMENT, () => signups.write(signup)),
});
