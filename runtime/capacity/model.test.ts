import { describe, expect, test } from "bun:test";
import { CAPACITY_CONSTANTS } from "./constants.ts";
import { type Capacity, capacityFor, mailsPerSecond } from "./model.ts";

const at = (signupsPerDay: number, peakFactor = 3, mailLatencyMs = 500): Capacity =>
  capacityFor({ signupsPerDay, peakFactor, mailLatencyMs });

const TABLE = [
  { perDay: 1_000, replicas: 2, perGroup: 1, limits: 0 },
  { perDay: 1_000_000, replicas: 2, perGroup: 2, limits: 0 },
  { perDay: 100_000_000, replicas: 69, perGroup: 134, limits: 1 },
] as const;

describe("the capacity model", () => {
  for (const { perDay, replicas, perGroup, limits } of TABLE) {
    test(`${perDay} signups a day, three times as many at the peak, a mail server that takes 500 ms`, () => {
      const capacity = at(perDay);
      expect(capacity.api.replicas).toBe(replicas);
      expect(capacity.consumers.perGroup).toBe(perGroup);
      expect(capacity.limits.length).toBeGreaterThanOrEqual(limits);
      expect(capacity.postgres.rowsPerDay).toBe(4 * perDay);
      expect(capacity.consumers.smtpConnections).toBe(2 * perGroup * 20);
      expect(capacity.postgres.connections).toBe((replicas + 1) * 10 + 2 * perGroup * 4 + 10);
    });
  }

  test("what is counted grows with the signups, and the peak alone with the factor", () => {
    const [once, tenfold, peaky] = [at(1_000_000), at(10_000_000), at(1_000_000, 30)];
    expect(tenfold.postgres.walBytesPerDay).toBe(10 * once.postgres.walBytesPerDay);
    expect(peaky.postgres.walBytesPerDay).toBe(once.postgres.walBytesPerDay);
    expect(peaky.peakSignupsPerSecond).toBeCloseTo(tenfold.peakSignupsPerSecond, 9);
    expect(peaky.api.replicas).toBe(tenfold.api.replicas);
    expect(peaky.redis.memoryBytes).toBe(once.redis.memoryBytes);
  });

  test("a consumer is bound by its connections, until its core is slower", () => {
    expect(mailsPerSecond(500)).toBeCloseTo(37.2, 5);
    expect(mailsPerSecond(1)).toBeCloseTo(1_000_000 / CAPACITY_CONSTANTS.consumerUs.value, 5);
    expect(at(1_000).scaling.lagTarget).toBe(186);
  });

  test("at its peak nothing is used beyond its share", () => {
    for (const perDay of [1, 1_000, 1_000_000, 100_000_000]) {
      const { api, consumers, peakSignupsPerSecond: peak } = at(perDay);
      const { utilisation, hashesPerApi, hashMs } = CAPACITY_CONSTANTS;
      expect((peak * hashMs.value) / 1_000).toBeLessThanOrEqual(api.replicas * hashesPerApi.value * utilisation.value);
      expect(peak).toBeLessThanOrEqual(consumers.perGroup * consumers.mailsPerSecond * utilisation.value + 1e-9);
    }
  });

  test("each constant has its unit, its source and its date", () => {
    for (const [name, { value, unit, source, date }] of Object.entries(CAPACITY_CONSTANTS)) {
      expect([name, value > 0, unit !== "", source !== "", /^20\d\d-\d\d-\d\d$/.test(date)]).toEqual([
        name,
        true,
        true,
        true,
        true,
      ]);
    }
  });
});
