import { describe, expect, test } from "bun:test";
import { Breaker, type BreakerState } from "./breaker.ts";
import type { Outcome } from "./handler.ts";

const down: Outcome = { kind: "unavailable", reason: "connection_refused" };
const sent: Outcome = { kind: "done", reply: "250", receipt: "m" };
const refused = (party: string): Outcome => ({ kind: "rejected", reason: "policy", reply: "550 no", party });

const aBreaker = (concurrency = 8) => {
  let nowMs = 0;
  const changes: BreakerState[] = [];
  const breaker = new Breaker({
    concurrency,
    now: () => nowMs,
    random: () => 1,
    onChange: (state) => changes.push(state),
  });
  return { breaker, changes, pass: (ms: number) => (nowMs += ms) };
};

const fail = (breaker: Breaker, times: number) => {
  for (let time = 0; time < times; time += 1) breaker.record(down, `event ${time}`);
};

describe("the breaker", () => {
  test("opens at the fifth failure of the system in a row, and lets nothing through", () => {
    const { breaker, changes } = aBreaker();
    fail(breaker, 4);
    expect(breaker.state).toBe("closed");
    fail(breaker, 1);
    expect(breaker.state).toBe("open");
    expect(breaker.allowance()).toBe(0);
    expect(changes).toEqual(["open"]);
  });

  test("a success resets the count", () => {
    const { breaker } = aBreaker();
    fail(breaker, 4);
    breaker.record(sent, "a");
    fail(breaker, 4);
    expect(breaker.state).toBe("closed");
  });

  test("one event that fails repeatedly does not open it", () => {
    const { breaker } = aBreaker();
    for (let time = 0; time < 50; time += 1) breaker.record(down, "the same");
    expect(breaker.state).toBe("closed");
    breaker.record(down, "another");
    expect(breaker.state).toBe("open");
  });

  test("allows one probe after 2 to 4 s, and waits again when it fails", () => {
    const { breaker, pass, changes } = aBreaker();
    fail(breaker, 5);
    pass(3_999);
    expect(breaker.allowance()).toBe(0);
    pass(1);
    expect(breaker.allowance()).toBe(1);
    breaker.record(down, "probe");
    expect(breaker.allowance()).toBe(0);
    expect(changes).toEqual(["open"]);
  });

  test("recovers step by step after a success, and opens at once at a failure", () => {
    const { breaker, pass, changes } = aBreaker(8);
    fail(breaker, 5);
    pass(4_000);
    const allowed: number[] = [];
    for (let success = 0; success < 7; success += 1) {
      breaker.record(sent, `success ${success}`);
      allowed.push(breaker.allowance());
    }
    expect(allowed).toEqual([2, 2, 4, 4, 4, 4, 8]);
    expect(changes).toEqual(["open", "recovering", "closed"]);

    fail(breaker, 5);
    pass(4_000);
    breaker.record(sent, "a");
    breaker.record(down, "b");
    expect(breaker.state).toBe("open");
  });

  test("opens after refusals by five parties, but not by one party, nor for pieces at fault", () => {
    const { breaker } = aBreaker();
    for (let time = 0; time < 20; time += 1) breaker.record(refused("one.example"), `event ${time}`);
    for (let time = 0; time < 20; time += 1) {
      breaker.record({ kind: "rejected", reason: "no_such_address", reply: "550 5.1.1" }, `address ${time}`);
    }
    expect(breaker.state).toBe("closed");
    for (let domain = 0; domain < 5; domain += 1) breaker.record(refused(`${domain}.example`), "y");
    expect(breaker.state).toBe("open");
  });

  test("a rejection without asking the system does not close it: `expired`", () => {
    const { breaker, pass } = aBreaker();
    fail(breaker, 5);
    pass(4_000);
    breaker.record({ kind: "rejected", reason: "expired" }, "a");
    expect(breaker.state).toBe("open");
  });

  test("opened by refusals, it does not close by another refusal", () => {
    const { breaker, pass, changes } = aBreaker();
    for (let domain = 0; domain < 5; domain += 1) breaker.record(refused(`${domain}.example`), "y");
    pass(4_000);
    breaker.record(refused("probe.example"), "probe");
    expect(breaker.areWeRefused).toBe(true);
    expect(breaker.allowance()).toBe(0);
    expect(changes).toEqual(["open"]);
    pass(4_000);
    breaker.record(sent, "b");
    expect(breaker.state).toBe("recovering");
  });

  test("`released` and `uncertain` do not count", () => {
    const { breaker } = aBreaker();
    fail(breaker, 4);
    breaker.record({ kind: "released", reason: "stopped" }, "a");
    breaker.record({ kind: "uncertain", reason: "deadline" }, "b");
    fail(breaker, 1);
    expect(breaker.state).toBe("open");
  });
});
