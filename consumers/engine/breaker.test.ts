import { describe, expect, test } from "bun:test";
import { Breaker, type BreakerState } from "./breaker.ts";
import type { Outcome } from "./outcome.ts";

const down: Outcome = { kind: "system", reason: "connection_refused" };
const sent: Outcome = { kind: "sent", reply: "250", messageId: "m" };
const refused = (domain: string): Outcome => ({ kind: "permanent", reason: "policy", suppressAddress: false, domain });

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

  test("a success between starts the count anew", () => {
    const { breaker } = aBreaker();
    fail(breaker, 4);
    breaker.record(sent, "a");
    fail(breaker, 4);
    expect(breaker.state).toBe("closed");
  });

  test("one event that fails again and again does not open it: it is that recipient's server", () => {
    const { breaker } = aBreaker();
    for (let time = 0; time < 50; time += 1) breaker.record(down, "the same");
    expect(breaker.state).toBe("closed");
    breaker.record(down, "another");
    expect(breaker.state).toBe("open");
  });

  test("lets one probe through after a few seconds, and waits again when it fails", () => {
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

  test("opens up step by step after a success, and shuts at once when the trouble is back", () => {
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

  test("opens after refusals by policy over five domains: it is the account; but not over one domain, nor by bad addresses", () => {
    const { breaker } = aBreaker();
    for (let time = 0; time < 20; time += 1) breaker.record(refused("one.example"), `event ${time}`);
    for (let time = 0; time < 20; time += 1) {
      breaker.record({ kind: "permanent", reason: "no_such_address", suppressAddress: true, domain: `d${time}` }, "x");
    }
    expect(breaker.state).toBe("closed");
    for (let domain = 0; domain < 5; domain += 1) breaker.record(refused(`${domain}.example`), "y");
    expect(breaker.state).toBe("open");
  });

  test("what no server said opens nothing up: a mail that is too old, an address that cannot be used", () => {
    const { breaker, pass } = aBreaker();
    fail(breaker, 5);
    pass(4_000);
    breaker.record({ kind: "permanent", reason: "expired", suppressAddress: false }, "a");
    expect(breaker.state).toBe("open");
  });

  test("opened because the account is refused, it takes no further refusal for a sign of life", () => {
    const { breaker, pass, changes } = aBreaker();
    for (let domain = 0; domain < 5; domain += 1) breaker.record(refused(`${domain}.example`), "y");
    pass(4_000);
    breaker.record(refused("probe.example"), "probe");
    expect(breaker.isAccountRefused).toBe(true);
    expect(breaker.allowance()).toBe(0);
    expect(changes).toEqual(["open"]);
    pass(4_000);
    breaker.record(sent, "b");
    expect(breaker.state).toBe("recovering");
  });

  test("being called back, or cut off after the body, says nothing of the mail system", () => {
    const { breaker } = aBreaker();
    fail(breaker, 4);
    breaker.record({ kind: "released", reason: "stopped" }, "a");
    breaker.record({ kind: "uncertain", reason: "deadline" }, "b");
    fail(breaker, 1);
    expect(breaker.state).toBe("open");
  });
});
