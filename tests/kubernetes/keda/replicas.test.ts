import { expect, test } from "bun:test";
import { failed, type Measurement } from "./measurement.ts";
import { replicasFor } from "./replicas.ts";

const bounds = { min: 0, max: 10, fallback: 2 };
const idle: Measurement = { kind: "value", value: 0, target: 200, isActive: false };
const nil: Measurement = { kind: "value", value: -1, target: 200, isActive: false };
const error = failed(new Error("NOGROUP"));
const unreachable: Measurement = { kind: "unreachable" };
const todo = (value: number): Measurement => ({ kind: "value", value, target: 200, isActive: true });

test.each<readonly [what: string, seen: readonly Measurement[], current: number, replicas: number]>([
  ["nothing to do", [idle, idle], 3, 0],
  ["one event, from zero", [todo(1), idle], 0, 1],
  ["the greatest of all triggers", [todo(1_000), todo(300)], 1, 5],
  ["never more than the maximum", [todo(1_000_000)], 4, 10],
  ["within a tenth of the target nothing moves", [todo(1_050)], 5, 5],
  ["a lag of nil alone goes to zero: hence the backlog trigger", [nil], 3, 0],
  ["a lag of nil and an active backlog", [nil, todo(400)], 1, 2],
  ["a failing trigger: zero stays zero", [error, idle], 0, 0],
  ["a failing trigger: the fallback", [error, idle], 1, 2],
  ["a failing trigger and an active one: at least the fallback", [error, todo(1)], 0, 2],
  ["a failing trigger: what runs stays", [error, idle], 6, 6],
  ["a failing trigger and one with less to do: not down", [error, todo(200)], 6, 6],
  ["a failing trigger and one with more to do: up", [error, todo(1_600)], 6, 8],
  ["Redis does not answer KEDA: what runs stays, whatever the api counts", [unreachable, todo(1_600)], 3, 3],
  ["Redis does not answer KEDA: zero stays zero, whatever the api counts", [unreachable, todo(1_600)], 0, 0],
])("%s", (_, seen, current, replicas) => {
  expect(replicasFor(seen, current, bounds)).toBe(replicas);
});

test("with a minimum there are consumers, whether there is work, and whether KEDA can count", () => {
  const alwaysOn = { ...bounds, min: 2 };
  for (const seen of [[idle], [error], [unreachable], [todo(1)]]) expect(replicasFor(seen, 0, alwaysOn)).toBe(2);
  expect(replicasFor([unreachable], 7, alwaysOn)).toBe(7);
  expect(replicasFor([todo(1_000)], 2, alwaysOn)).toBe(5);
});

test("entries in flight in the pods are no reason for more pods", () => {
  // Each pod holds at most 20; the target of `pending` is 200.
  let replicas = 1;
  for (let round = 0; round < 50; round += 1) replicas = replicasFor([todo(20 * replicas)], replicas, bounds);
  expect(replicas).toBe(1);
});
