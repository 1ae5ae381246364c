import { isOfSystem } from "./words.ts";

/** A failure that is older says nothing of the system now: a peer may have repeated what failed, and succeeded. */
const LATELY_MS = 60_000;

/**
 * Whether the system has failed in the last attempt of a consumer, and lately: its breaker opens after more of that. Pure. Older
 * versions do not say how long ago that was.
 */
export const failedLately = ({
  breaker: { reason, reasonAgeMs = 0 },
  silentMs,
}: {
  readonly breaker: { readonly reason?: string | undefined; readonly reasonAgeMs?: number | undefined };
  readonly silentMs: number | null;
}): boolean => reason !== undefined && isOfSystem(reason) && reasonAgeMs + (silentMs ?? 0) < LATELY_MS;
