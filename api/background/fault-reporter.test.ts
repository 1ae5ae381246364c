import { expect, test } from "bun:test";
import { readApiReports } from "../../stream/api-reports.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, silentLog } from "../../tests/pipeline.ts";
import type { Troubles } from "../health/readiness.ts";
import { startFaultReporter } from "./fault-reporter.ts";

const TROUBLES: Troubles = {
  refusal: {
    fault: "PostgreSQL refuses a statement (42501)",
    since: "2026-11-28T06:05:00.000Z",
    at: "2026-11-28T06:06:00.000Z",
  },
  loops: { relay: "Redis refuses a command (NOPERM); since 2026-11-28T06:05:00.000Z" },
};

test("an api says in Redis what keeps it from its work, or that nothing does, and what it said expires if it dies", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  let troubles: Troubles | undefined = { loops: {} };
  const deps = {
    redis,
    keys,
    log: silentLog,
    name: "api-1",
    troubles: async () => troubles,
  };
  await using reporter = startFaultReporter(deps, { everyMs: 10 });
  const said = (loops: number) =>
    eventually(async () => {
      const reports = await readApiReports(redis, keys);
      return reports.some((each) => Object.keys(each.loops).length === loops) && reports;
    });
  expect(await said(0)).toMatchObject([{ name: "api-1", loops: {} }]);

  troubles = TROUBLES;
  expect(await said(1)).toMatchObject([{ name: "api-1", ...TROUBLES }]);
  expect(await redis.pttl(keys.apis)).toBeGreaterThan(0);

  // It stops.
  troubles = undefined;
  await eventually(async () => (await redis.exists(keys.apis)) === 0);
  expect(reporter.isLive()).toBe(true);
});

test("what an api said is forgotten ten seconds later, also while others go on to speak", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const [seconds = 0] = await redis.time();
  const report = { host: "web-1", ...TROUBLES };
  const nowMs = Number(seconds) * 1_000;
  await redis.hset(keys.apis, "api-dead", JSON.stringify({ ...report, atMs: nowMs - 12_000 }));
  await redis.hset(keys.apis, "api-lives", JSON.stringify({ ...report, atMs: nowMs }));
  await redis.hset(keys.apis, "api-of-another-version", "{}");
  // Before Redis' clock was set back.
  await redis.hset(keys.apis, "api-ahead", JSON.stringify({ ...report, atMs: nowMs + 3_600_000 }));
  expect((await readApiReports(redis, keys)).map(({ name }) => name)).toEqual(["api-lives"]);
});

test("an api that cannot say it is not silent about that: a key of a wrong type is the fault of its loop", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  await redis.set(keys.apis, "in the way");
  const deps = { redis, keys, log: silentLog, name: "api-1", troubles: async () => TROUBLES };
  await using reporter = startFaultReporter(deps, { everyMs: 10 });
  expect(await eventually(() => reporter.publishedFault())).toStartWith("Redis refuses a command (WRONGTYPE); since ");
});
