import { describe, expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import type { TestConsumer } from "../pipeline.ts";
import { anOrder, anOrderPipeline, aStock } from "./orders.ts";

const orderList = (count: number) => Array.from({ length: count }, () => anOrder());

test.concurrent("an order that kills its consumers is one dead letter, reason poison; its companions are done", async () => {
  await using orders = await anOrderPipeline();
  const stock = aStock();
  const eventIds = await orders.place(...orderList(20));
  const [poison = "", ...companions] = eventIds;
  let deaths = 0;
  const alive = new Set<TestConsumer>();

  const start = async (): Promise<void> => {
    const consumer: TestConsumer = await orders.consumer(async (...args) => {
      const [{ eventId }] = args;
      if (!alive.has(consumer)) return new Promise(() => {});
      if (eventId !== poison) {
        // Slow enough that companions are in flight when the poison kills.
        await Bun.sleep(20);
        return alive.has(consumer) ? stock.work(...args) : new Promise(() => {});
      }
      deaths += 1;
      alive.delete(consumer);
      consumer.crash();
      void start();
      return new Promise(() => {});
    });
    alive.add(consumer);
  };
  await Promise.all([start(), start()]);

  await orders.settled([poison], "dead");
  await orders.settled(companions);
  expect(await orders.status(poison)).toMatchObject({ reason: "poison", uncertain: 0 });
  await eventually(async () => (await orders.letters()).length > 0);
  expect(await orders.letters()).toEqual(["poison"]);
  expect(deaths).toBe(4);
  expect(stock.reserved).not.toContain(poison);
  expect(new Set(stock.reserved)).toEqual(new Set(companions));
  await orders.othersUntouched(eventIds);
});

describe.concurrent("the breaker of a second group", () => {
  test("opens after five failures of its system over two events; nothing is harmed, and it recovers", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    let isDown = true;
    const consumer = await orders.consumer(
      async (...args) => (isDown ? { kind: "unavailable", reason: "warehouse_away" } : stock.work(...args)),
      { concurrency: 4, retryDelayMs: 20 },
    );
    const eventIds = await orders.place(...orderList(8));
    await eventually(() => consumer.breaker() === "open");
    for (const eventId of eventIds) expect(await orders.status(eventId)).toMatchObject({ attempts: 0 });
    await orders.othersUntouched(eventIds);

    isDown = false;
    await orders.settled(eventIds);
    await eventually(() => consumer.breaker() === "closed");
    for (const eventId of eventIds) expect(await orders.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
    expect([...stock.reserved].sort()).toEqual([...eventIds].sort());
    expect(await orders.letters()).toEqual([]);
  });

  test("opens when parties refuse and none accepts: no order is dead for it, and all are done afterwards", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    let isRefused = true;
    const consumer = await orders.consumer(
      async (...args) => {
        const [{ eventId }] = args;
        if (!isRefused) return stock.work(...args);
        return { kind: "rejected", reason: "not_a_customer", reply: "403", party: `warehouse-${eventId}` };
      },
      { retryDelayMs: 300 },
    );
    const eventIds = await orders.place(...orderList(12));
    await eventually(() => consumer.breaker() === "open");
    await eventually(async () => (await orders.status(eventIds.at(-1) ?? ""))?.reason === "account_refused");
    for (const eventId of eventIds) {
      expect(await orders.status(eventId)).toMatchObject({ attempts: 0, uncertain: 0 });
    }

    isRefused = false;
    await orders.settled(eventIds);
    expect([...stock.reserved].sort()).toEqual([...eventIds].sort());
    expect(await orders.letters()).toEqual([]);
    await orders.othersUntouched(eventIds);
  });

  test("does not open for one party that refuses everything: what it refuses is held, what is for it waits", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const [bad, good] = [orderList(20), orderList(20)];
    const refused = new Set(bad.map(({ event_id }) => event_id));
    const consumer = await orders.consumer(
      async (...args) => {
        const [, shelf] = args;
        if (shelf !== "shut") return stock.work(...args);
        return { kind: "rejected", reason: "not_a_customer", reply: "403", party: "shut.example" };
      },
      {
        retryDelayMs: 2_000,
        concurrency: 2,
        prepare: async (pieces) =>
          new Map(
            pieces.map(({ eventId }) => [
              eventId,
              refused.has(eventId)
                ? { kind: "ready", input: "shut", party: "shut.example" }
                : { kind: "ready", input: "shelf 2", party: "open.example" },
            ]),
          ),
      },
    );
    const eventIds = await orders.place(...bad, ...good);
    const goodIds = eventIds.filter((eventId) => !refused.has(eventId));
    await orders.settled(goodIds);
    await eventually(() => consumer.waitingParties() === 1);
    const states = await Promise.all([...refused].map((eventId) => orders.status(eventId)));
    expect(states.filter((delivery) => delivery?.state === "held" && delivery.reason !== "party_refuses")).toEqual([]);
    expect(states.filter((delivery) => delivery?.reason === "party_refuses").length).toBeGreaterThan(0);
    expect(states.filter((delivery) => delivery?.reason === "party_waits").length).toBeGreaterThan(0);
    expect(consumer.breaker()).toBe("closed");
    expect(await orders.letters()).toEqual([]);
    expect([...stock.reserved].sort()).toEqual([...goodIds].sort());
  });
});

test.concurrent("a look-up whose store is away is asked again: no attempt is used up, nothing is released", async () => {
  await using orders = await anOrderPipeline();
  const stock = aStock();
  let asked = 0;
  await orders.consumer(stock.work, {
    prepare: async (pieces) => {
      asked += 1;
      if (asked <= 2) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
      return new Map(pieces.map(({ eventId }) => [eventId, { kind: "ready", input: "shelf 2" }]));
    },
  });
  const [eventId = ""] = await orders.place(anOrder());
  await orders.settled([eventId]);
  expect(asked).toBe(3);
  expect(stock.reserved).toEqual([eventId]);
  const status = await orders.status(eventId);
  expect(status).toMatchObject({ attempts: 1, uncertain: 0 });
  expect(status?.timeline.map(({ state }) => state)).toEqual(["queued", "active", "done"]);
  await orders.othersUntouched([eventId]);
});

test.concurrent("an outcome that nobody knows is one more attempt, not an uncertain one; used up, it is a dead letter", async () => {
  await using orders = await anOrderPipeline();
  let attempts = 0;
  await orders.consumer(
    async () => {
      attempts += 1;
      return { kind: "uncertain", reason: "cut_off" };
    },
    { retryMax: 2, retryDelayMs: 20 },
  );
  const [eventId = ""] = await orders.place(anOrder());
  await orders.settled([eventId], "dead");
  expect(attempts).toBe(3);
  expect(await orders.status(eventId)).toMatchObject({ reason: "retries_exhausted", attempts: 3, uncertain: 0 });
  await eventually(async () => (await orders.letters()).length > 0);
  expect(await orders.letters()).toEqual(["retries_exhausted"]);
  await orders.othersUntouched([eventId]);
});
