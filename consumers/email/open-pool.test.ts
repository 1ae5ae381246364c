import { expect, test } from "bun:test";
import { loadSettings } from "../../settings/load.ts";
import { capacityOf, mailPolicyOf } from "./open-pool.ts";

const settingsWith = (more: Readonly<Record<string, string>>) =>
  loadSettings("consumer", { DATABASE_URL: "postgres://a/b", REDIS_URL: "redis://a", ...more });

test.each([
  ["200", undefined, 300],
  ["50", undefined, 99],
  ["20", undefined, 39],
  ["20", "4", 20],
  ["20", "100", 39],
  ["2", undefined, 3],
  ["1", undefined, 1],
] as const)(
  "with %s entries in flight and a pool of %s connections, %i mails are in flight",
  (entries, size, mails) => {
    const pool = size === undefined ? {} : { MAIL_POOL_SIZE: size };
    expect(mailPolicyOf(settingsWith({ CONSUMER_CONCURRENCY: entries, ...pool })).concurrency).toBe(mails);
  },
);

const granting = (granted: number, perSecond?: number, acceptedPerSecond = 0) => ({
  granted: () => granted,
  isLimited: () => granted < 20,
  perSecond: () => perSecond,
  acceptedPerSecond: () => acceptedPerSecond,
  words: () => undefined,
});

test("of a server that grants less than the pool, half as many mails as connections wait, one at least, and what is sent in 0.2 s", () => {
  expect(capacityOf(granting(20), 20).allowed()).toBe(Number.POSITIVE_INFINITY);
  expect(capacityOf(granting(10), 20).allowed()).toBe(15);
  expect(capacityOf(granting(1), 20).allowed()).toBe(2);
  expect(capacityOf(granting(1, undefined, 100), 20).allowed()).toBe(21);
  expect(capacityOf(granting(0, undefined, 100), 20).allowed()).toBe(0);
  expect(capacityOf(granting(20, 3), 20).allowed()).toBe(7);
});
