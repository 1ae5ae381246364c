import { createAutoscaler, type Scaling } from "./autoscaler.ts";

/** A burst at one moment, and what works on it. Times in s. */
export interface Burst {
  readonly signups: number;
  /** What one consumer does a second. */
  readonly perSecond: number;
  /** From the decision to the first entry that a pod reads. */
  readonly podStart: number;
  readonly lagTarget: number;
  /** Unfinished work counts up to 10,000, and has a target of its own. */
  readonly backlogTarget: number;
}

/** How it went, by the second. */
export interface Course {
  readonly points: readonly { readonly at: number; readonly waiting: number; readonly replicas: number }[];
  readonly drainedAt: number;
  /** Pods by seconds, from the first to the last. */
  readonly podSeconds: number;
}

const STEP = 0.5;
const POINT_EVERY = 5;
const BACKLOG_BOUND = 10_000;
const LONGEST = 7_200;

/** What KEDA's triggers on the lag and on the backlog measure while so many wait. */
export const measurementsOf = (
  waiting: number,
  { lagTarget, backlogTarget }: Pick<Burst, "lagTarget" | "backlogTarget">,
) => {
  const value = (measured: number, target: number) => ({
    kind: "value" as const,
    value: measured,
    target,
    isActive: measured > 0,
  });
  return [value(waiting, lagTarget), value(Math.min(waiting, BACKLOG_BOUND), backlogTarget)];
};

/** A burst against consumers that are only a rate each: 0 -> N -> 0. */
export const simulate = (burst: Burst, scaling: Scaling): Course => {
  const autoscaler = createAutoscaler(scaling);
  const points: Course["points"][number][] = [];
  let ready: number[] = [];
  let waiting = burst.signups;
  let podSeconds = 0;
  let drainedAt = Number.NaN;
  for (let now = 0; now < LONGEST; now += STEP) {
    if (now >= autoscaler.nextAt()) {
      const replicas = autoscaler.look(now, measurementsOf(waiting, burst));
      // Those that leave are the youngest; those that come have to start.
      while (ready.length < replicas) ready.push(now + burst.podStart);
      ready = ready.slice(0, replicas);
    }
    const working = ready.filter((at) => at <= now).length;
    waiting = Math.max(0, waiting - working * burst.perSecond * STEP);
    podSeconds += ready.length * STEP;
    const isDrained = waiting === 0 && Number.isNaN(drainedAt);
    if (isDrained) drainedAt = now;
    if (isDrained || now % POINT_EVERY === 0 || ready.length !== points.at(-1)?.replicas) {
      points.push({ at: now, waiting, replicas: ready.length });
    }
    if (waiting === 0 && ready.length === 0) break;
  }
  return { points, drainedAt, podSeconds };
};
