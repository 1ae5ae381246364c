import type { SignupOutcome, SignupRequest } from "./contract.ts";

interface Running {
  readonly request: SignupRequest;
  readonly settled: Promise<{ readonly outcome: SignupOutcome } | { readonly error: unknown }>;
}

const isSameInput = ({ input: a }: SignupRequest, { input: b }: SignupRequest): boolean =>
  a.user_name === b.user_name && a.email === b.email && a.locale === b.locale && a.password === b.password;

/** Runs a request, or shares the outcome of an equal one that is in flight under the same key. */
export type Sharing = (
  keyHash: string,
  request: SignupRequest,
  run: () => Promise<SignupOutcome>,
) => Promise<SignupOutcome>;

/**
 * Coordinates requests that are in flight under one Idempotency-Key: one runs, equal ones share its outcome without a
 * hash of their own, others wait and then find what it has stored. Keeps one entry per key, while it is in flight.
 */
export const createSharing = (): Sharing => {
  const running = new Map<string, Running>();

  return async (keyHash, request, run) => {
    for (let other = running.get(keyHash); other !== undefined; other = running.get(keyHash)) {
      const settled = await other.settled;
      // The leader's client disconnected and its request was abandoned: the next one takes its place.
      if (!isSameInput(other.request, request) || ("error" in settled && other.request.signal.aborted)) continue;
      if ("error" in settled) throw settled.error;
      return settled.outcome.kind === "accepted" ? { ...settled.outcome, replayed: true } : settled.outcome;
    }
    const settled = run().then(
      (outcome) => ({ outcome }),
      (error: unknown) => ({ error }),
    );
    running.set(keyHash, { request, settled });
    const result = await settled;
    running.delete(keyHash);
    if ("error" in result) throw result.error;
    return result.outcome;
  };
};
