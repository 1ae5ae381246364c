import { describe, expect, test } from "bun:test";
import type { PostgresFacts } from "../../database/postgres-facts.ts";
import type { GroupStatus } from "../../stream/group-status.ts";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import { checkClocks, checkGroup, checkLocks, checkLost, checkOutbox, checkPostgres, checkRedis } from "./diagnosis.ts";

const goodPostgres: PostgresFacts = {
  version: "18.4",
  majorVersion: 18,
  synchronousCommit: "on",
  fsync: "on",
  isStandby: false,
  isReadOnly: false,
  statementTimeout: "4s",
  mayHideRows: false,
  clockMs: 0,
};
const goodRedis: RedisFacts = {
  version: "7.2.4",
  isReplica: false,
  lacksReplicas: false,
  usedMemory: 1_000,
  maxMemory: 10_000,
  evictionPolicy: "noeviction",
  appendOnly: true,
  lastAppendOk: true,
  lastSnapshotOk: true,
  lastSnapshotAt: 0,
  uptimeSeconds: 1,
};
const goodGroup: GroupStatus = {
  group: "welcome-email",
  declared: true,
  orphaned: false,
  wasRead: true,
  exists: { events: true, retries: true },
  lag: 0,
  retriesLag: 0,
  counted: { lag: null, retriesLag: null },
  pending: 0,
  waitingRetries: 0,
  dueRetries: 0,
  deadLetters: 0,
  paused: false,
  pausedFor: null,
  oldestUnfinishedMs: 0,
  consumers: [{ name: "one", pending: 0, idleMs: 1, silentMs: 1, report: null }],
  lastHour: { perMinute: [], medianPerMinute: [], total: 0, medianMs: undefined },
};

describe("a diagnosis", () => {
  test("of healthy servers and a healthy group is ok throughout", () => {
    const checks = [
      ...checkPostgres(goodPostgres, []),
      ...checkRedis(goodRedis),
      ...checkGroup(goodGroup),
      checkClocks(20),
      checkOutbox({ rows: 0, bounded: false, oldestAgeMs: 0 }),
    ];
    expect(checks.filter((check) => check.verdict !== "ok")).toEqual([]);
  });

  test.each([
    [{ majorVersion: 13 }, "postgres version", "fail"],
    [{ majorVersion: 19 }, "postgres version", "warn"],
    [{ synchronousCommit: "off" }, "synchronous_commit", "fail"],
    [{ fsync: "off" }, "fsync", "warn"],
    [{ isStandby: true }, "postgres writable", "fail"],
    [{ isReadOnly: true }, "postgres writable", "fail"],
    [{ statementTimeout: "0" }, "statement_timeout", "warn"],
    [{ mayHideRows: true }, "row_security", "warn"],
  ] as const)("of a Postgres with %p: %p, %p", (parts, name, verdict) => {
    expect(checkPostgres({ ...goodPostgres, ...parts }, [])).toContainEqual(expect.objectContaining({ name, verdict }));
  });

  test("of a database that is not up to date: fail, with the command to run", () => {
    expect(checkPostgres(goodPostgres, ["0002-suppressions"])).toContainEqual(
      expect.objectContaining({ name: "migrations", verdict: "fail", remedy: "bun run migrate" }),
    );
  });

  test("of tables that search_path does not lead to: fail, and no migration", () => {
    const elsewhere = { schema: "public", searchPath: "other" };
    expect(checkPostgres(goodPostgres, ["0001-signups"], elsewhere)).toContainEqual(
      expect.objectContaining({
        name: "migrations",
        verdict: "fail",
        remedy: expect.stringMatching(/^do not migrate/),
      }),
    );
  });

  test.each([
    [{ version: "6.2.5" }, "redis version", "fail"],
    [{ isReplica: true }, "redis writable", "fail"],
    [{ lacksReplicas: true }, "redis writable", "fail"],
    [{ appendOnly: false }, "redis persistence", "warn"],
    [{ lastAppendOk: false }, "redis persistence", "fail"],
    [{ evictionPolicy: "allkeys-lru" }, "maxmemory-policy", "fail"],
    [{ evictionPolicy: "allkeys-lru", maxMemory: 0 }, "maxmemory-policy", "warn"],
    [{ usedMemory: 8_000 }, "redis memory", "warn"],
    [{ usedMemory: 9_900 }, "redis memory", "fail"],
    [{ lastSnapshotOk: false }, "redis snapshot", "warn"],
  ] as const)("of a Redis with %p: %p, %p", (parts, name, verdict) => {
    expect(checkRedis({ ...goodRedis, ...parts })).toContainEqual(expect.objectContaining({ name, verdict }));
  });

  test.each([
    [{ orphaned: true }, "warn"],
    [{ declared: false }, "warn"],
    [{ exists: { events: true, retries: false } }, "fail"],
    [{ lag: null }, "warn"],
    [{ paused: true }, "warn"],
    [{ consumers: [], lag: 3 }, "warn"],
    [{ consumers: [], waitingRetries: 3, dueRetries: 1 }, "warn"],
    [{ deadLetters: 1 }, "warn"],
  ] as const)("of a group with %p: %p", (parts, verdict) => {
    expect(checkGroup({ ...goodGroup, ...parts }).map((check) => check.verdict)).toContain(verdict);
  });

  test("of a group that was made a moment ago: ok, as its consumers have not given a sign of life yet", () => {
    const made = { ...goodGroup, consumers: [], wasRead: false, lag: 3, oldestUnfinishedMs: 1_200 };
    expect(checkGroup(made).map((check) => check.verdict)).toEqual(["ok"]);
    expect(checkGroup({ ...made, oldestUnfinishedMs: 9_000 }).map((check) => check.verdict)).toContain("warn");
  });

  test("of a group without consumers, all of whose retries are due later: ok", () => {
    const checks = checkGroup({ ...goodGroup, consumers: [], waitingRetries: 3 });
    expect(checks.map((check) => check.verdict)).toEqual(["ok"]);
  });

  test.each([
    [0, "ok"],
    [31_000, "warn"],
    [301_000, "fail"],
  ] as const)("of an outbox whose oldest row is %p ms old: %p", (oldestAgeMs, verdict) => {
    expect(checkOutbox({ rows: 1, bounded: false, oldestAgeMs }).verdict).toBe(verdict);
  });

  test("of a lock that somebody holds: warn, with the command to end it", () => {
    const wait = { waiting: 2, longestMs: 84_000, waiter: "consumer-1", blockedBy: 4711, blocker: "psql" };
    expect(checkLocks(wait)).toMatchObject({ verdict: "warn", remedy: expect.stringContaining("4711") });
    expect(checkLocks({ ...wait, blockedBy: 0 }).remedy).toContain("pg_prepared_xacts");
    expect(checkLocks({ ...wait, longestMs: 20 }).verdict).toBe("ok");
    expect(checkLocks(undefined).verdict).toBe("ok");
  });

  test("of deliveries that were lost again and again: warn", () => {
    expect(checkLost(0).verdict).toBe("ok");
    expect(checkLost(3)).toMatchObject({ verdict: "warn", finding: expect.stringContaining("3 deliveries are held") });
  });

  test("of clocks that differ: warn", () => {
    expect(checkClocks(-5_000)).toMatchObject({ verdict: "warn", finding: "Redis is 5 s behind Postgres" });
  });
});
