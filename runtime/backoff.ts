/**
 * Delay after a number of failures, in ms: jitter over the upper half of base * 2^(failures-1), never above `capMs`. With a
 * base of 30 s: [15, 30], [30, 60], [60, 120] s. Everybody who failed at the same moment comes back spread out.
 */
export const backoffMs = (failures: number, baseMs: number, capMs: number, random: () => number): number => {
  const full = Math.min(capMs, baseMs * 2 ** (Math.max(1, failures) - 1));
  return Math.floor(full / 2 + (random() * full) / 2);
};
