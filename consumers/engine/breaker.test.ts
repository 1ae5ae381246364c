import { describe, expect, test } from "bun:test";
import { Breaker, type BreakerState } from "./breaker.ts";

const aBreaker = (concurrency = 8, capacity?: () => number) => {
  let nowMs = 0;
  const changes: BreakerState[] = [];
  const breaker = new Breaker({
    concurrency,
    capacity,
    now: () => nowMs,
    random: () => 1,
    onChange: (state) => changes.push(state),
  });
  return { breaker, changes, pass: (ms: number) => (nowMs += ms) };
};

const fail = (breaker: Breaker, times: number, event = "event") => {
  for (let time = 0; time < times; time += 1)
    breaker.failed({ reason: "connection_refused" }, { eventId: `${event} ${time}`, party: undefined });
};
const decline = (breaker: Breaker, times: number, parties = times) => {
  for (let time = 0; time < times; time += 1)
    breaker.declined({ eventId: `event ${time}`, party: `${time % parties}.example`, askedAt: 0, reason: "policy" });
};

describe("the breaker of a system that fails", () => {
  test("opens at the fifth failure of the system in a row, and lets nothing through", () => {
    const { breaker, changes } = aBreaker();
    fail(breaker, 4);
    expect(breaker.state).toBe("closed");
    fail(breaker, 1);
    expect(breaker.state).toBe("open");
    expect(breaker.allowance()).toBe(0);
    expect(changes).toEqual(["open"]);
  });

  test("says how long ago the last failure was, until a success", () => {
    const { breaker, pass } = aBreaker();
    expect(breaker.troubleAgeMs).toBeUndefined();
    fail(breaker, 1);
    pass(90_000);
    expect(breaker.troubleAgeMs).toBe(90_000);
    decline(breaker, 1);
    expect(breaker.troubleAgeMs).toBe(0);
    breaker.succeeded();
    expect(breaker.troubleAgeMs).toBeUndefined();
  });

  test("a success resets the count", () => {
    const { breaker } = aBreaker();
    fail(breaker, 4);
    breaker.succeeded();
    fail(breaker, 4);
    expect(breaker.state).toBe("closed");
  });

  test("failures do not open it while some of the work succeeds; when none does any more, they do", () => {
    const { breaker } = aBreaker();
    for (let round = 0; round < 20; round += 1) {
      breaker.succeeded();
      breaker.succeeded();
      breaker.succeeded();
      fail(breaker, 7, `round ${round}`);
    }
    expect(breaker.state).toBe("closed");
    fail(breaker, 20);
    expect(breaker.state).toBe("open");
  });

  test("one event that fails repeatedly does not open it", () => {
    const { breaker } = aBreaker();
    for (let time = 0; time < 50; time += 1) fail(breaker, 1);
    expect(breaker.state).toBe("closed");
    fail(breaker, 1, "another");
    expect(breaker.state).toBe("open");
  });

  test("allows one probe after 2 to 4 s, and waits again when it fails", () => {
    const { breaker, pass, changes } = aBreaker();
    fail(breaker, 5);
    pass(3_999);
    expect(breaker.allowance()).toBe(0);
    pass(1);
    expect(breaker.allowance()).toBe(1);
    fail(breaker, 1, "probe");
    expect(breaker.allowance()).toBe(0);
    expect(changes).toEqual(["open"]);
  });

  test("never probes with the event that failed last, nor with its party, while there are others", () => {
    const { breaker } = aBreaker();
    fail(breaker, 5);
    breaker.failed({ reason: "lost" }, { eventId: "a", party: "one.example" });
    expect(breaker.mayProbe({ eventId: "a", party: undefined })).toBe(false);
    expect(breaker.mayProbe({ eventId: "b", party: "one.example" })).toBe(false);
    expect(breaker.mayProbe({ eventId: "b", party: "two.example" })).toBe(true);
    const others = Array.from({ length: 30 }, (_, n) => breaker.mayProbe({ eventId: `c${n}`, party: "one.example" }));
    expect(others).toContain(true);
  });

  test("probes with the event that failed last when that comes back, and no other one has probed", () => {
    const { breaker } = aBreaker();
    fail(breaker, 5);
    for (let times = 0; times < 3; times += 1) {
      breaker.failed({ reason: "lost" }, { eventId: "a", party: "one.example" });
      expect(breaker.mayProbe({ eventId: "a", party: "one.example" })).toBe(false);
      expect(breaker.mayProbe({ eventId: "a", party: "one.example" })).toBe(true);
    }
  });

  test("recovers by one with each success, to what the other system grants; one failure halves that", () => {
    const { breaker, pass, changes } = aBreaker(8, () => 6);
    expect(breaker.allowance()).toBe(6);
    fail(breaker, 5);
    pass(4_000);
    const allowed: number[] = [];
    for (let success = 0; success < 3; success += 1) {
      breaker.succeeded();
      allowed.push(breaker.allowance());
    }
    fail(breaker, 1);
    allowed.push(breaker.allowance());
    for (let success = 0; success < 4; success += 1) {
      breaker.succeeded();
      allowed.push(breaker.allowance());
    }
    expect(allowed).toEqual([2, 3, 4, 2, 3, 4, 5, 6]);
    expect(changes).toEqual(["open", "recovering", "closed"]);
  });

  test("opens again when it fails three times in a row while it recovers", () => {
    const { breaker, pass } = aBreaker();
    fail(breaker, 5);
    pass(4_000);
    breaker.succeeded();
    fail(breaker, 2);
    expect(breaker.state).toBe("recovering");
    fail(breaker, 1);
    expect(breaker.state).toBe("open");
  });
});

describe("the breaker of a system to which each question may do harm", () => {
  const refuse = (breaker: Breaker, event: string) =>
    breaker.failed({ reason: "auth", isHarmful: true }, { eventId: event, party: undefined });

  test("opens at the second failure in a row, whatever succeeded before", () => {
    const { breaker } = aBreaker();
    for (let n = 0; n < 20; n += 1) breaker.succeeded();
    refuse(breaker, "a");
    breaker.succeeded();
    refuse(breaker, "b");
    expect(breaker.state).toBe("closed");
    refuse(breaker, "b");
    expect(breaker.state).toBe("open");
  });

  test("probes only with a permit, one for each probe, and says when it may be given one", () => {
    const { breaker, pass } = aBreaker();
    refuse(breaker, "a");
    refuse(breaker, "b");
    expect(breaker.needsPermit).toBe(false);
    pass(4_000);
    expect([breaker.needsPermit, breaker.allowance()]).toEqual([true, 0]);
    breaker.refusePermit(60_000);
    expect([breaker.needsPermit, breaker.probeInMs]).toEqual([false, 60_000]);
    // The system may work for another one by then.
    pass(2_000);
    expect([breaker.needsPermit, breaker.probeInMs]).toEqual([true, 58_000]);
    breaker.permit(8_000);
    expect([breaker.needsPermit, breaker.allowance(), breaker.probeInMs]).toEqual([false, 1, 0]);
    refuse(breaker, "c");
    pass(4_000);
    expect([breaker.needsPermit, breaker.allowance()]).toEqual([true, 0]);
    breaker.permit(8_000);
    breaker.succeeded();
    expect(breaker.allowance()).toBe(2);
  });

  test("probes without a permit, as often as ever, when it fails in a way that does no harm", () => {
    const { breaker, pass } = aBreaker();
    refuse(breaker, "a");
    fail(breaker, 5);
    pass(4_000);
    expect([breaker.needsPermit, breaker.allowance()]).toEqual([false, 1]);
    refuse(breaker, "b");
    pass(4_000);
    expect([breaker.needsPermit, breaker.allowance()]).toEqual([true, 0]);
  });

  test("keeps a permit that it has no use for only as long as no peer gets one", () => {
    const { breaker, pass } = aBreaker();
    refuse(breaker, "a");
    refuse(breaker, "b");
    pass(4_000);
    breaker.permit(8_000);
    pass(7_999);
    expect([breaker.needsPermit, breaker.allowance()]).toEqual([false, 1]);
    pass(1);
    expect([breaker.needsPermit, breaker.allowance()]).toEqual([true, 0]);
  });

  test("needs no permit where work goes on, because everything is declined", () => {
    const { breaker, pass } = aBreaker();
    decline(breaker, 100);
    refuse(breaker, "a");
    pass(4_000);
    expect([breaker.state, breaker.isDeclining, breaker.needsPermit]).toEqual(["open", true, false]);
  });
});

describe("the breaker of a system that declines", () => {
  test("is known after five parties, and opens it after a while; not one party, nor some that others separate", () => {
    const { breaker, pass } = aBreaker();
    decline(breaker, 20, 1);
    decline(breaker, 4);
    breaker.succeeded();
    decline(breaker, 4);
    expect(breaker.state).toBe("closed");
    expect(breaker.isDeclining).toBe(false);
    decline(breaker, 5);
    expect(breaker.state).toBe("closed");
    expect(breaker.isDeclining).toBe(true);
    pass(2_000);
    decline(breaker, 1);
    expect(breaker.state).toBe("open");
  });

  test("tells of the time since it accepted something last, two seconds at most: others may have been declined then already", () => {
    const { breaker, pass } = aBreaker();
    const sinceAfter = (ms: number) => {
      breaker.succeeded();
      const askedAt = pass(ms);
      for (const party of ["a", "b", "c", "d", "e"])
        breaker.declined({ eventId: party, party: `${party}.example`, askedAt, reason: "policy" });
      return breaker.allDeclined?.since;
    };
    expect(sinceAfter(500)).toBe(0);
    expect(sinceAfter(10_000)).toBe(8_500);
  });

  test("goes on to attempt what comes behind; after a thousand in a row ever fewer at the same time, one at least", () => {
    const { breaker } = aBreaker();
    const allowanceAfter = (declined: number) => {
      decline(breaker, declined);
      return breaker.allowance();
    };
    expect([999, 1, 1_000, 2_000, 4_000, 92_000].map(allowanceAfter)).toEqual([8, 8, 4, 2, 1, 1]);
    expect(breaker.mayProbe({ eventId: "x", party: "91999.example" })).toBe(false);
    expect(breaker.mayProbe({ eventId: "x", party: "0.example" })).toBe(true);
  });

  test("is closed by one success, with all that was allowed", () => {
    const { breaker, changes } = aBreaker();
    decline(breaker, 100);
    breaker.succeeded();
    expect(breaker.allowance()).toBe(8);
    expect(breaker.state).toBe("closed");
    expect(changes.at(-1)).toBe("closed");
  });

  test("stops when the system fails after that", () => {
    const { breaker } = aBreaker();
    decline(breaker, 100);
    fail(breaker, 20);
    expect(breaker.isDeclining).toBe(false);
    expect(breaker.allowance()).toBe(0);
  });
});
