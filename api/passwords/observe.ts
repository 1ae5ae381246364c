import { SIGNUP_PASSWORD_HASH_WAITING } from "../../observability/metric-names.ts";
import { instruments, isTelemetryOn, registerGauge } from "../../observability/metrics.ts";
import { withSpan } from "../../observability/tracing.ts";
import { HashQueueFull, type PasswordHasher } from "./hasher.ts";

const countRefusal = (error: unknown): never => {
  if (error instanceof HashQueueFull) instruments().admissionRefused.add(1, { "signup.limit": "queue" });
  throw error;
};

/**
 * The hasher with a span around each hash, its time in the queue included, a gauge of the queue's length, and refusals counted. The
 * hasher itself without telemetry.
 */
export const observedHasher = (hasher: PasswordHasher): PasswordHasher => {
  if (!isTelemetryOn()) return hasher;
  registerGauge(
    SIGNUP_PASSWORD_HASH_WAITING,
    { unit: "{password}", description: "Passwords that wait to be hashed." },
    () => [{ value: hasher.waiting() }],
  );
  return {
    ...hasher,
    hash: (password, caller) =>
      withSpan(
        "hash password",
        () => ({}),
        () => hasher.hash(password, caller).catch(countRefusal),
      ),
    verify: (password, hash, caller) =>
      withSpan(
        "verify password",
        () => ({}),
        () => hasher.verify(password, hash, caller).catch(countRefusal),
      ),
  };
};
