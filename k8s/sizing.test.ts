import { expect, test } from "bun:test";
import { sizingFor } from "./sizing.ts";

const GROUPS = [{ requires: ["MAIL_SERVER"] }, { requires: [] }] as const;
const at = (signupsPerDay: number, mailLatencyMs = 500) =>
  sizingFor({ signupsPerDay, peakFactor: 3, mailLatencyMs }, GROUPS);

test.each([
  [1, { apiReplicas: 2, apiCpu: "100m", maxConsumers: 2, lagTarget: 186, backlogTarget: 5_000 }],
  [1_000_000, { apiReplicas: 2, apiCpu: "700m", maxConsumers: 2, consumerCpu: "100m" }],
  [100_000_000, { apiReplicas: 69, apiCpu: "2", maxConsumers: 134, backlogTarget: 74 }],
])("%p signups a day", (signups, values) => {
  expect(at(signups)).toMatchObject(values);
});

test("connections are those of all groups at their maximum, with a pod more of each during a rollout", () => {
  const { databaseConnections, smtpConnections } = at(1_000_000);
  expect(databaseConnections).toBe((2 + 1) * 10 + 2 * (2 + 1) * 4 + 10);
  expect(smtpConnections).toBe(1 * 2 * 20);
});

test("a consumer of a quick mail server is bound by its core, and requests it", () => {
  expect(at(1_000_000, 1).consumerCpu).toBe("1");
});

test("the backlog never asks for more than there may be", () => {
  for (const signups of [1, 10_000_000, 10_000_000_000]) {
    const { backlogTarget, maxConsumers } = at(signups);
    expect(backlogTarget * Math.min(maxConsumers, 10_000)).toBeLessThanOrEqual(10_000);
  }
});
