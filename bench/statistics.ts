/** The value below which `share` (0 to 1) of the values lie; NaN of none. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** The middle value; of an even number of values, the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((left, right) => left - right);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
};

/** Student's t for 95 %, by the degrees of freedom from 1 on; beyond, 2.1 at the most. */
const STUDENT_T = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14];

/**
 * The mean of ratios (as logarithms: 2 and 1/2 cancel out), and half the width of its 95 % confidence interval. NaN of fewer than two.
 */
export const meanRatio = (ratios: readonly number[]): { readonly mean: number; readonly error: number } => {
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
  const variance = logs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (logs.length - 1);
  return { mean: Math.exp(mean), error: (STUDENT_T[logs.length - 2] ?? 2.1) * Math.sqrt(variance / logs.length) };
};
