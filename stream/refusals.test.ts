import { describe, expect, test } from "bun:test";
import { createReconnectPolicy, refusalOf } from "./refusals.ts";

const READONLY = "READONLY You can't write against a read only replica.";

describe("a refusal of Redis", () => {
  test.each([
    [READONLY, "READONLY"],
    [`${READONLY} script: 5f3c, on @user_script:13.`, "READONLY"],
    [
      "ERR Error running script (call to f_5f3c): @user_script:1: @user_script: 1: -READONLY You can't write.",
      "READONLY",
    ],
    ["LOADING Redis is loading the dataset in memory", "LOADING"],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "MASTERDOWN"],
    ["NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"],
    ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", "MISCONF"],
    ["CLUSTERDOWN The cluster is down", "CLUSTERDOWN"],
    ["MOVED 15218 10.0.0.7:6379", "MOVED"],
    ["ASK 15218 10.0.0.7:6379", "ASK"],
    ["TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN"],
    ["UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", "UNBLOCKED"],
    ["UNBLOCKED the stream key no longer exists", undefined],
    ["NOGROUP No such key '{signup}:events' or consumer group 'loading' in XREADGROUP", undefined],
    ["OOM command not allowed when used memory > 'maxmemory'.", undefined],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", undefined],
  ])("%s", (message, code) => {
    expect<string | undefined>(refusalOf(message)).toBe(code);
  });
});

describe("a connection that is refused", () => {
  const aPolicy = () => {
    const clock = { ms: 0 };
    return { clock, policy: createReconnectPolicy({ now: () => clock.ms, random: () => 1 }) };
  };

  test("reconnects at once, and then ever more rarely, however many replies refuse", () => {
    const { clock, policy } = aPolicy();
    const reconnectedAt: number[] = [];
    for (clock.ms = 0; clock.ms <= 20_000; clock.ms += 10) {
      if (policy.shouldReconnect(READONLY)) reconnectedAt.push(clock.ms);
    }
    expect(reconnectedAt).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500]);
  });

  test("does not reconnect for an error of the command", () => {
    expect(aPolicy().policy.shouldReconnect("WRONGTYPE Operation against a key")).toBe(false);
  });

  test("begins anew after 30 s without a refusal", () => {
    const { clock, policy } = aPolicy();
    for (const ms of [0, 500, 1_500]) {
      clock.ms = ms;
      expect(policy.shouldReconnect(READONLY)).toBe(true);
    }
    expect(policy.isRefused()).toBe(true);
    clock.ms = 40_000;
    expect(policy.isRefused()).toBe(false);
    expect(policy.shouldReconnect(READONLY)).toBe(true);
    clock.ms = 40_500;
    expect(policy.shouldReconnect(READONLY)).toBe(true);
  });
});
