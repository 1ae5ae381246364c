import type { Measurement } from "./measurement.ts";

export interface ScalingBounds {
  readonly min: number;
  readonly max: number;
  /** Replicas that a failing metric counts as. */
  readonly fallback: number;
}

/** Within a tenth of the target nothing moves (kube-controller-manager, --horizontal-pod-autoscaler-tolerance). */
const TOLERANCE = 0.1;

/** HPA's answer to one AverageValue metric: enough pods for each to have its target. */
const wanted = (value: number, target: number, current: number): number => {
  const ratio = value / (target * current);
  return Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(value / target);
};

/**
 * How many replicas KEDA and its HPA settle on, ignoring stabilization windows. KEDA alone moves between 0 and 1: up if any trigger
 * is active, down to the minimum if none is and none failed; if none is and one failed, it stays where it is
 * (scale_scaledobjects.go). Between 1 and the maximum HPA takes the greatest; a failing metric counts as the fallback's
 * replicas, or as those that run if they are more (fallback.go, `currentReplicasIfHigher`).
 *
 * A trigger whose store does not answer when its scaler is built (all of `redis*` connect then) leaves KEDA without any scaler
 * (scalers_builder.go), so no failure is counted and no fallback acts: all metrics of the HPA are invalid, and it keeps what runs, but
 * for its own minimum.
 *
 * @example one active trigger with 1,000 to do and a target of 200: 5
 */
export const replicasFor = (measurements: readonly Measurement[], current: number, bounds: ScalingBounds): number => {
  if (measurements.some(({ kind }) => kind === "unreachable")) return Math.max(current, bounds.min);
  const values = measurements.filter((measurement) => measurement.kind === "value");
  const isActive = values.some((measurement) => measurement.isActive);
  const hasFailed = values.length < measurements.length;
  if (!isActive && !hasFailed) return bounds.min;
  if (!isActive && current === 0) return bounds.min;
  const from = Math.max(current, 1);
  const most = Math.max(1, bounds.min, ...values.map(({ value, target }) => wanted(value, target, from)));
  return Math.min(bounds.max, hasFailed ? Math.max(most, from, bounds.fallback) : most);
};
