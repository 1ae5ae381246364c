import { SIGNUP_PASSWORD_HASH_WAITING } from "../../observability/metric-names.ts";
import { registerGauge } from "../../observability/metrics.ts";
import { withSpan } from "../../observability/tracing.ts";
import type { PasswordHasher } from "./hasher.ts";

/** The hasher with a span around each hash, its time in the queue included, and a gauge of the queue's length. */
export const observedHasher = (hasher: PasswordHasher): PasswordHasher => {
  registerGauge(
    SIGNUP_PASSWORD_HASH_WAITING,
    { unit: "{password}", description: "Passwords that wait to be hashed." },
    () => [{ value: hasher.waiting() }],
  );
  return {
    ...hasher,
    hash: (password, signal) =>
      withSpan(
        "hash password",
        () => ({}),
        () => hasher.hash(password, signal),
      ),
    verify: (password, hash, signal) =>
      withSpan(
        "verify password",
        () => ({}),
        () => hasher.verify(password, hash, signal),
      ),
  };
};
