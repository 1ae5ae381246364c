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
  const sending: { readonly isDoubtful: boolean; readonly until: number; readonly free: () => void }[] = [];
  const sent = { doubtful: 0, others: 0 };
  const ask = async (isDoubtful: boolean, mailMs: number, isSlow = () => false) => {
    const slot = await slots.take(new AbortController().signal, { until: 1e9, refused: undefined, isDoubtful, isSlow });
    if (typeof slot === "object" && "free" in slot)
      sending.push({ isDoubtful, until: nowMs + mailMs, free: slot.free });
  };
  const pass = async (ms: number) => {
    for (let step = 0; step < ms; step += 1) {
      nowMs += 1;
      for (const mail of sending.filter(({ until }) => until <= nowMs)) {
        sending.splice(sending.indexOf(mail), 1);
        sent[mail.isDoubtful ? "doubtful" : "others"] += 1;
        mail.free();
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

test("mails of a slow domain hold half of the connections at most, as long as others come now and then, also those that waited before that was known", async () => {
  const { ask, pass, sending, sent } = someSlots(10);
  let isSlow = false;
  for (let n = 0; n < 10; n += 1) void ask(false, 50);
  for (let n = 0; n < 40; n += 1) void ask(false, 30_000, () => isSlow);
  isSlow = true;
  await pass(100);
  expect(sent.others).toBe(10);
  expect(sending.length).toBe(5);
  void ask(false, 10);
  await pass(20);
  expect(sent.others).toBe(11);
});
