import { expect, test } from "bun:test";
import { loadSettings } from "../../settings/load.ts";
import { capacityOf, mailPolicyOf } from "./open-pool.ts";
import { observedPool } from "./smtp/observe.ts";
import { createSmtpPool } from "./smtp/pool.ts";

const SERVER = { host: "127.0.0.1", port: 2525, tls: "none" } as const;

const settingsWith = (more: Readonly<Record<string, string>>) =>
  loadSettings("consumer", { DATABASE_URL: "postgres://a/b", REDIS_URL: "redis://a", ...more });

test.each([
  ["200", undefined, 300],
  ["50", undefined, 99],
  ["20", undefined, 39],
  ["20", "4", 20],
  ["20", "100", 164],
  ["2", undefined, 3],
  ["1", undefined, 1],
] as const)(
  "with %s entries in flight and a pool of %s connections, %i mails are in flight",
  (entries, size, mails) => {
    const pool = size === undefined ? {} : { MAIL_POOL_SIZE: size };
    expect(mailPolicyOf(settingsWith({ CONSUMER_CONCURRENCY: entries, ...pool })).concurrency).toBe(mails);
  },
);

const granting = (granted: number, perSecond?: number, possiblePerSecond = 0) => ({
  granted: () => granted,
  isLimited: () => granted < 20,
  perSecond: () => perSecond,
  possiblePerSecond: () => possiblePerSecond,
  words: () => undefined,
});

test("half as many mails as connections wait, one at least, and what these can send in half a second unless mails are in doubt; at the pace of two seconds", () => {
  expect(capacityOf(granting(20), 20).allowed()).toBe(39);
  expect(capacityOf(granting(20, undefined, 200), 20).allowed()).toBe(120);
  expect(capacityOf(granting(20, undefined, 200), 20).allowed(true)).toBe(39);
  expect(capacityOf(granting(10), 20).allowed()).toBe(15);
  expect(capacityOf(granting(1), 20).allowed()).toBe(2);
  expect(capacityOf(granting(1, undefined, 100), 20).allowed()).toBe(51);
  expect(capacityOf(granting(0), 20).allowed()).toBe(0);
  expect(capacityOf(granting(20, 3), 20).allowed()).toBe(7);
});

test("the pool that a group ships hears whether mails wait that are not claimed yet", () => {
  const asked: (() => boolean)[] = [];
  const own = createSmtpPool({ server: SERVER, size: 5, sendDeadlineMs: 1_000 });
  const pool = observedPool({ ...own, heed: (othersWait) => void asked.push(othersWait) }, SERVER, 5);
  const doWait = () => true;
  capacityOf(pool, 5).heed?.(doWait);
  expect(asked).toEqual([doWait]);
});
