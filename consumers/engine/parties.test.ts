import { describe, expect, test } from "bun:test";
import { Parties } from "./parties.ts";

const someParties = (most?: number) => {
  let nowMs = 0;
  const changes: string[] = [];
  const parties = new Parties({
    now: () => nowMs,
    random: () => 1,
    onChange: (party, isWaiting) => changes.push(`${party} ${isWaiting ? "waits" : "goes on"}`),
    ...(most === undefined ? {} : { most }),
  });
  return { parties, changes, pass: (ms: number) => (nowMs += ms) };
};

const refuse = (parties: Parties, party: string, times: number) => {
  for (let time = 0; time < times; time += 1) parties.refused(party, `event ${time}`, "policy");
};

describe("a party", () => {
  test("that refuses five in a row waits, and nobody else", () => {
    const { parties, changes } = someParties();
    refuse(parties, "a.example", 4);
    expect(parties.waitMs("a.example")).toBe(0);
    refuse(parties, "a.example", 5);
    expect(parties.refuses("a.example")).toBe(true);
    expect(parties.waitMs("a.example")).toBeGreaterThan(0);
    expect(parties.waitMs("b.example")).toBe(0);
    expect(parties.waiting()).toBe(1);
    expect(changes).toEqual(["a.example waits"]);
  });

  test("has its own last words while it waits, whatever others say", () => {
    const { parties } = someParties();
    for (const word of ["one", "two", "three", "four"]) parties.refused("a.example", word, "policy", `550 ${word}`);
    expect(parties.waitingWords()).toBeUndefined();
    parties.refused("a.example", "five", "policy", "550 five");
    parties.deferred("b.example", "mailbox_full", "552 over quota");
    expect(parties.waitingWords()).toBe("550 five");
    parties.succeeded("a.example");
    expect(parties.waitingWords()).toBeUndefined();
  });

  test("is not refusing everything when it refuses one piece again and again, or accepts some", () => {
    const { parties } = someParties();
    for (let time = 0; time < 10; time += 1) parties.refused("a.example", "the same", "policy");
    expect(parties.refuses("a.example")).toBe(false);
    refuse(parties, "b.example", 4);
    parties.succeeded("b.example");
    refuse(parties, "b.example", 4);
    expect(parties.refuses("b.example")).toBe(false);
  });

  test("that accepts a part goes on, as long as what it refuses in a row is chance; and waits once it is not", () => {
    const { parties, changes } = someParties();
    refuse(parties, "a.example", 60);
    parties.succeeded("a.example");
    changes.length = 0;
    for (let round = 0; round < 50; round += 1) {
      refuse(parties, "a.example", 8);
      parties.succeeded("a.example");
    }
    expect(changes).toEqual([]);
    refuse(parties, "a.example", 60);
    expect(changes).toEqual(["a.example waits"]);
    for (let time = 0; time < 60; time += 1) parties.succeeded("a.example");
    refuse(parties, "a.example", 5);
    expect(changes).toEqual(["a.example waits", "a.example goes on", "a.example waits"]);
  });

  test("has three probes at a time, with growing waits; what was in flight does not make them longer", () => {
    const { parties, pass, changes } = someParties();
    refuse(parties, "a.example", 20);
    pass(2_000);
    for (let probe = 0; probe < 3; probe += 1) expect(parties.waitMs("a.example")).toBe(0);
    expect(parties.waitMs("a.example")).toBeGreaterThan(0);
    refuse(parties, "a.example", 20);
    pass(3_999);
    expect(parties.waitMs("a.example")).toBeGreaterThan(0);
    pass(1);
    expect(parties.waitMs("a.example")).toBe(0);
    parties.succeeded("a.example");
    expect(parties.waitMs("a.example")).toBe(0);
    expect(parties.waitMs("a.example")).toBe(0);
    expect(changes).toEqual(["a.example waits", "a.example goes on"]);
  });

  test("that defers waits after a hundred in a row", () => {
    const { parties } = someParties();
    for (let time = 0; time < 99; time += 1) parties.deferred("a.example", "try_later");
    expect(parties.waitMs("a.example")).toBe(0);
    parties.deferred("a.example", "try_later");
    expect(parties.waitMs("a.example")).toBeGreaterThan(0);
    expect(parties.refuses("a.example")).toBe(false);
  });

  test("is forgotten when many others were used since: their number is bounded", () => {
    const { parties } = someParties(3);
    refuse(parties, "a.example", 5);
    refuse(parties, "b.example", 5);
    for (const other of ["c", "a", "d"]) parties.refused(`${other}.example`, "x", "policy");
    expect(parties.refuses("a.example")).toBe(true);
    expect(parties.refuses("b.example")).toBe(false);
  });
});
