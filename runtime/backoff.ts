/** Jitter over the upper half of a delay, in ms: 4 s -> [2, 4] s. Callers that wait at the same moment spread out. */
export const jitteredMs = (mostMs: number, random: () => number): number =>
  Math.floor(mostMs / 2 + (random() * mostMs) / 2);

/**
 * Delay after a number of failures, in ms: jitter over the upper half of base * 2^(failures-1), at most `capMs`. With a base
 * of 30 s: [15, 30], [30, 60], [60, 120] s.
 */
export const backoffMs = (failures: number, baseMs: number, capMs: number, random: () => number): number =>
  jitteredMs(Math.min(capMs, baseMs * 2 ** (Math.max(1, failures) - 1)), random);
