import type { Measurement } from "../../tests/kubernetes/keda/measurement.ts";
import { replicasFor } from "../../tests/kubernetes/keda/replicas.ts";

/** How many replicas may come or go in a period, in s: `behavior` of an HPA. */
interface Policy {
  readonly type: "Percent" | "Pods";
  readonly value: number;
  readonly periodSeconds: number;
}

/** What a ScaledObject sets, and what the cluster's controllers have; all times in s. */
export interface Scaling {
  readonly pollingInterval: number;
  readonly cooldownPeriod: number;
  readonly maxReplicaCount: number;
  readonly scaleUp: readonly Policy[];
  readonly scaleDown: readonly Policy[];
  readonly scaleDownWindow: number;
  /** kube-controller-manager, --horizontal-pod-autoscaler-sync-period. */
  readonly syncPeriod: number;
}

interface Change {
  readonly at: number;
  readonly by: number;
}

/** KEDA and its HPA: asked at each moment, with what the triggers measure then. */
export interface Autoscaler {
  readonly replicas: number;
  /** Next moment at which one of the two looks at the triggers. */
  nextAt(): number;
  /** Looks at `now`; returns how many replicas there are to be. */
  look(now: number, measurements: readonly Measurement[]): number;
}

const sum = (changes: readonly Change[], since: number): number =>
  changes.reduce((total, { at, by }) => (at > since ? total + by : total), 0);

/** As many as the most generous policy allows (`selectPolicy: Max`), counted from the beginning of its period. */
const upTo = (policies: readonly Policy[], current: number, added: readonly Change[], now: number): number =>
  Math.max(
    ...policies.map(({ type, value, periodSeconds }) => {
      const before = current - sum(added, now - periodSeconds);
      return type === "Pods" ? before + value : Math.ceil(before * (1 + value / 100));
    }),
  );

const downTo = (policies: readonly Policy[], current: number, removed: readonly Change[], now: number): number =>
  Math.min(
    ...policies.map(({ type, value, periodSeconds }) => {
      const before = current + sum(removed, now - periodSeconds);
      return type === "Pods" ? before - value : Math.floor(before * (1 - value / 100));
    }),
  );

/**
 * Plays both controllers: KEDA between 0 and 1 at each polling interval, down after the cooldown; HPA between 1 and the maximum at each
 * sync, by the formula for AverageValue with its tolerance, its window and its policies (horizontal.go, scale_handler.go).
 */
export const createAutoscaler = (scaling: Scaling): Autoscaler => {
  const { pollingInterval, cooldownPeriod, maxReplicaCount: max, syncPeriod, scaleDownWindow } = scaling;
  let replicas = 0;
  let lastActive = Number.NEGATIVE_INFINITY;
  let nextPoll = 0;
  let nextSync = 0;
  let recommended: { readonly at: number; readonly count: number }[] = [];
  const added: Change[] = [];
  const removed: Change[] = [];

  const poll = (now: number, measurements: readonly Measurement[]): void => {
    const isActive = measurements.some((each) => each.kind === "value" && each.isActive);
    if (isActive) lastActive = now;
    if (isActive && replicas === 0) replicas = 1;
    if (!isActive && replicas > 0 && now - lastActive >= cooldownPeriod) replicas = 0;
  };

  const sync = (now: number, measurements: readonly Measurement[]): void => {
    if (replicas === 0) return;
    const wanted = replicasFor(measurements, replicas, { min: 1, max, fallback: 1 });
    recommended = [...recommended.filter(({ at }) => at > now - scaleDownWindow), { at: now, count: wanted }];
    if (wanted > replicas) {
      const next = Math.min(wanted, max, upTo(scaling.scaleUp, replicas, added, now));
      if (next > replicas) added.push({ at: now, by: next - replicas });
      replicas = Math.max(replicas, next);
      return;
    }
    const stable = Math.min(replicas, Math.max(...recommended.map(({ count }) => count)));
    const next = Math.max(1, stable, downTo(scaling.scaleDown, replicas, removed, now));
    if (next < replicas) removed.push({ at: now, by: replicas - next });
    replicas = Math.min(replicas, next);
  };

  return {
    get replicas() {
      return replicas;
    },
    nextAt: () => Math.min(nextPoll, nextSync),
    look(now, measurements) {
      if (now >= nextPoll) {
        poll(now, measurements);
        nextPoll = now + pollingInterval;
      }
      if (now >= nextSync) {
        sync(now, measurements);
        nextSync = now + syncPeriod;
      }
      return replicas;
    },
  };
};
