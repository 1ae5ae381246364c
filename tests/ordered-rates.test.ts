import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { aConsole } from "../api/console/console-for-tests.ts";
import { listActions } from "../database/audit.ts";
import { ratesOf } from "../database/groups/rates.ts";
import { answerOf, textOf } from "../ops/operator-for-tests.ts";
import { openCommandConnection } from "../stream/connection.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { clearRate, createRateCheck, createRateKeeper, orderRate } from "../stream/rates.ts";
import { eventually } from "./eventually.ts";
import { anOutbox, aPipeline, type Pipeline, silentLog } from "./pipeline.ts";

const group = WELCOME_EMAIL.name;
const budget = "mail";
const storesOf = ({ db, redis, keys }: Pipeline) => ({ rates: ratesOf(db), redis, keys });
/** As FLUSHALL does, to this pipeline alone. */
const flush = async ({ redis, streamName }: Pipeline) => redis.del(...(await redis.keys(`{${streamName}}*`)));

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await aPipeline();
});
afterAll(() => pipeline[Symbol.asyncDispose]());

const latest = async () => (await listActions(pipeline.db, { limit: 1 }))[0];

describe("a rate that an operator orders", () => {
  test("is followed by consumers that run, and outlives a flush", async () => {
    const consumer = await pipeline.consumer(anOutbox().work);
    expect(consumer.ratePerSecond()).toBeUndefined();
    expect(await orderRate(storesOf(pipeline), { budget, perSecond: 20, by: "lan" })).toEqual({ isCopied: true });
    await eventually(() => consumer.ratePerSecond() === 20);
    await flush(pipeline);
    // No api runs that would restore the copy.
    expect(await createRateCheck(storesOf(pipeline), budget)()).toBe(20);
    await clearRate(storesOf(pipeline), budget);
    await eventually(() => consumer.ratePerSecond() === undefined);
    await consumer.stop();
  });

  test("is copied again after a flush, and what Redis has otherwise is set right", async () => {
    const { redis, keys } = pipeline;
    const keep = createRateKeeper(storesOf(pipeline));
    const check = createRateCheck(storesOf(pipeline), budget);
    await orderRate(storesOf(pipeline), { budget, perSecond: 0.5, by: "lan" });
    await flush(pipeline);
    expect(await keep()).toEqual([budget]);
    expect([await keep(), await check()]).toEqual([[], 0.5]);
    await redis.hset(keys.rates, { [budget]: "7", gone: "1" });
    expect(await keep()).toEqual([budget, "gone"]);
    expect(await redis.hgetall(keys.rates)).toEqual({ [budget]: "0.5", "*": "" });
    await clearRate(storesOf(pipeline), budget);
    expect(await check()).toBeUndefined();
  });

  test("is a row while Redis is away", async () => {
    const away = openCommandConnection({
      url: "redis://127.0.0.1:1",
      name: "away",
      log: silentLog,
      commandTimeoutMs: 200,
    });
    const order = { budget, perSecond: 3, by: "lan" };
    expect(await orderRate({ ...storesOf(pipeline), redis: away }, order)).toEqual({ isCopied: false });
    away.disconnect();
    expect(await createRateKeeper(storesOf(pipeline))()).toEqual([budget]);
    expect(await clearRate(storesOf(pipeline), budget)).toEqual({ wasOrdered: true, isCopied: true });
    expect(await clearRate(storesOf(pipeline), budget)).toEqual({ wasOrdered: false, isCopied: true });
  });
});

describe("ops rate", () => {
  test("orders, shows and ends it, by a group's name, and records it", async () => {
    expect(await textOf(pipeline, "rate", group, "2.5")).toContain(`${group}: at most 2.5/s, within seconds`);
    expect(await latest()).toMatchObject({
      action: "rate",
      group,
      arguments: { budget, per_second: 2.5 },
      end: { outcome: "done", affected: 1 },
    });
    const shown = await answerOf(pipeline, "rate");
    expect(shown.json).toMatchObject({
      budgets: [{ budget, groups: [group], ordered: { perSecond: 2.5, by: "tester" }, inForce: null }],
    });
    expect(shown.text((_, text) => text)).toMatch(/2\.5\/s .* by tester +not limited/);
    expect(await textOf(pipeline, "rate", group, "--clear")).toContain("as the settings say");
    expect((await answerOf(pipeline, "rate", group, "--clear")).json).toMatchObject({ changed: false });
    expect(await latest()).toMatchObject({ action: "rate clear", end: { outcome: "nothing" } });
    expect(await textOf(pipeline, "rate", "nosuch", "1").catch(String)).toContain("no group is named nosuch");
  });
});

describe("the console's rate", () => {
  test("is previewed before it is ordered, and ended the same way", async () => {
    const person = await aConsole(pipeline).enter();
    const path = "/console/act/rate";
    const preview = await (await person.post(path, { group, rate: "4", do: "order" })).text();
    expect(preview).toContain("Nothing was changed yet");
    expect(preview).toContain("at most 4 a second");
    expect(await ratesOf(pipeline.db).find(budget)).toBeUndefined();
    expect((await person.post(path, { group, rate: "4", do: "order now" })).status).toBe(303);
    expect(await ratesOf(pipeline.db).find(budget)).toBe(4);
    expect(await person.read(path)).toContain("by lan (as operator)");
    expect(await latest()).toMatchObject({ action: "rate", surface: "console", actor: "lan (as operator)" });
    expect(await (await person.post(path, { group, do: "clear" })).text()).toContain("what the settings say");
    expect((await person.post(path, { group, do: "clear now" })).status).toBe(303);
    expect(await ratesOf(pipeline.db).find(budget)).toBeUndefined();
  });

  test.each(["", "0", "-1", "fast", "1e9"])("of %p is refused, and nothing is ordered", async (rate) => {
    const person = await aConsole(pipeline).enter();
    const answer = await person.post("/console/act/rate", { group, rate, do: "order now" });
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("Nothing was done.")]);
    expect(await ratesOf(pipeline.db).find(budget)).toBeUndefined();
  });
});
