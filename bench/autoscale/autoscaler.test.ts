import { describe, expect, test } from "bun:test";
import type { Measurement } from "../../tests/kubernetes/keda/measurement.ts";
import { createAutoscaler, type Scaling } from "./autoscaler.ts";

const SCALING: Scaling = {
  pollingInterval: 5,
  cooldownPeriod: 120,
  maxReplicaCount: 10,
  scaleUp: [
    { type: "Percent", value: 100, periodSeconds: 15 },
    { type: "Pods", value: 3, periodSeconds: 15 },
  ],
  scaleDown: [
    { type: "Percent", value: 25, periodSeconds: 60 },
    { type: "Pods", value: 1, periodSeconds: 60 },
  ],
  scaleDownWindow: 120,
  syncPeriod: 15,
};

const lag = (value: number): Measurement[] => [{ kind: "value", value, target: 200, isActive: value > 0 }];

/** Replicas at each look until `end`, s, by what is measured then. */
const replicasOver = (end: number, lagAt: (now: number) => number): Readonly<Record<number, number>> => {
  const autoscaler = createAutoscaler(SCALING);
  const replicas: Record<number, number> = {};
  for (let now = 0; now <= end; now = autoscaler.nextAt()) replicas[now] = autoscaler.look(now, lag(lagAt(now)));
  return replicas;
};

describe("the autoscaler that plays KEDA and HPA", () => {
  test("comes up as docs/kubernetes.md says: from zero within a poll, then 4, 8, 10 in steps of 15 s", () => {
    const replicas = replicasOver(60, (now) => (now === 0 ? 0 : 20_000));
    expect([0, 5, 15, 30, 45, 60].map((at) => replicas[at])).toEqual([0, 1, 4, 8, 10, 10]);
  });

  test("does not move within a tenth of the target", () => {
    const replicas = replicasOver(30, (now) => (now < 15 ? 150 : 215));
    expect(replicas[30]).toBe(1);
  });

  test("goes down by a quarter a minute after the window, and to zero after the cooldown, whichever is first", () => {
    const busyUntil = 60;
    const replicas = replicasOver(400, (now) => (now <= busyUntil ? 20_000 : 150));
    expect(replicas[busyUntil + 105]).toBe(10);
    expect(replicas[busyUntil + 120]).toBe(7);
    expect(replicas[busyUntil + 180]).toBe(5);
    const idle = replicasOver(400, (now) => (now <= busyUntil ? 20_000 : 0));
    expect(idle[busyUntil + 115]).toBe(10);
    expect(idle[busyUntil + 125]).toBe(0);
  });
});
