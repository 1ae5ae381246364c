import { expect, test } from "bun:test";
import { failed, type Measurement } from "./measurement.ts";
import { replicasFor } from "./replicas.ts";

const bounds = { min: 0, max: 10, fallback: 2 };
const idle: Measurement = { kind: "value", value: 0, target: 200, isActive: false };
const nil: Measurement = { kind: "value", value: -1, target: 200, isActive: false };
const error = failed(new Error("NOGROUP"));
const todo = (value: number): Measurement => ({ kind: "value", value, target: 200, isActive: true });

test.each<readonly [what: string, seen: readonly Measurement[], current: number, replicas: number]>([
  ["nothing to do", [idle, idle], 3, 0],
  ["one event, from zero", [todo(1), idle], 0, 1],
  ["the greatest of all triggers", [todo(1_000), todo(300)], 1, 5],
  ["never more than the maximum", [todo(1_000_000)], 4, 10],
  ["within a tenth of the target nothing moves", [todo(1_050)], 5, 5],
  ["a lag of nil alone goes to zero: why there is a net", [nil], 3, 0],
  ["a lag of nil and an active net", [nil, todo(400)], 1, 2],
  ["nobody can count: what is at zero stays there", [error, idle], 0, 0],
  ["nobody can count: the fallback", [error, idle], 1, 2],
  ["one cannot count, another is active: the fallback at least", [error, todo(1)], 0, 2],
  ["nobody can count: what runs stays", [error, idle], 6, 6],
  ["one cannot count, another sees less to do: not down", [error, todo(200)], 6, 6],
  ["one cannot count, another sees more to do: up", [error, todo(1_600)], 6, 8],
])("%s", (_, seen, current, replicas) => {
  expect(replicasFor(seen, current, bounds)).toBe(replicas);
});

test("what the pods themselves hold is no reason for more of them", () => {
  // Each pod holds 20 at the most; the target of `pending` is 200.
  let replicas = 1;
  for (let round = 0; round < 50; round += 1) replicas = replicasFor([todo(20 * replicas)], replicas, bounds);
  expect(replicas).toBe(1);
});
