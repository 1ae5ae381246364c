import { describe, expect, test } from "bun:test";
import { ConnectionLimit } from "./capacity.ts";
import { Pace } from "./pace.ts";
import { createSendSlots } from "./send-slots.ts";

/** Slots over so many connections; each mail that gets one is noted, and holds it until it is freed. */
const someSlots = (size: number) => {
  let nowMs = 0;
  const now = () => nowMs;
  const limit = new ConnectionLimit(size, { now });
  const slots = createSendSlots({
    limit,
    pace: new Pace({ now }),
    idle: () => 1_000,
    isOpening: () => false,
    now,
  });
  const sending: { readonly isDoubtful: boolean; readonly until: number }[] = [];
  const sent = { doubtful: 0, others: 0 };
  const ask = async (isDoubtful: boolean, mailMs: number) => {
    const slot = await slots.take(new AbortController().signal, { until: 1e9, refused: undefined, isDoubtful });
    if (slot === "taken") sending.push({ isDoubtful, until: nowMs + mailMs });
  };
  const pass = async (ms: number) => {
    for (let step = 0; step < ms; step += 1) {
      nowMs += 1;
      for (const mail of sending.filter(({ until }) => until <= nowMs)) {
        sending.splice(sending.indexOf(mail), 1);
        sent[mail.isDoubtful ? "doubtful" : "others"] += 1;
        slots.free(mail.isDoubtful);
      }
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { limit, slots, ask, pass, sent, sending };
};

describe("doubtful mails", () => {
  test("get a tenth of the connections while others wait, however long each of them takes", async () => {
    const { ask, pass, sent } = someSlots(10);
    for (let n = 0; n < 400; n += 1) void ask(true, 1_000);
    for (let n = 0; n < 4_000; n += 1) void ask(false, 50);
    await pass(10_000);
    expect(sent.others).toBeGreaterThan(0.8 * 2_000);
    expect(sent.doubtful).toBeGreaterThanOrEqual(9);
  });

  test("get a turn over a single connection, too", async () => {
    const { ask, pass, sent } = someSlots(1);
    for (let n = 0; n < 40; n += 1) void ask(true, 1_000);
    for (let n = 0; n < 1_000; n += 1) void ask(false, 50);
    await pass(20_000);
    expect(sent.others).toBeGreaterThan(0.8 * 400);
    expect(sent.doubtful).toBeGreaterThan(1);
  });

  test("hold three quarters of the connections at most, while nobody else waits: who comes then finds one", async () => {
    const { ask, pass, sending } = someSlots(10);
    for (let n = 0; n < 40; n += 1) void ask(true, 30_000);
    await pass(1);
    expect(sending).toHaveLength(8);
    void ask(false, 50);
    await pass(1);
    expect(sending).toHaveLength(9);
  });

  test("alone, too, find out that the server grants more again", async () => {
    const { limit, ask, pass, sending } = someSlots(20);
    limit.starved();
    for (let n = 0; n < 400; n += 1) void ask(true, 500);
    await pass(5_000);
    expect(sending).toHaveLength(15);
  });
});
