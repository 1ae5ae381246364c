import { expect, test } from "bun:test";
import { Breaker, type BreakerState } from "./breaker.ts";

/** The breaker of a consumer whose system has room for it, or for others only. */
const aBreaker = () => {
  const system = { isFull: false };
  const changes: BreakerState[] = [];
  const breaker = new Breaker({
    concurrency: 8,
    capacity: () => (system.isFull ? 0 : 8),
    isFull: () => system.isFull,
    now: () => 0,
    random: () => 1,
    onChange: (state) => changes.push(state),
  });
  const fail = (times: number, isHarmful = false) => {
    for (let time = 0; time < times; time += 1)
      breaker.failed({ reason: "connection_refused", isHarmful }, { eventId: `event ${time}`, party: undefined });
  };
  return { breaker, system, changes, fail };
};

test("a breaker closes where others have all that the system grants, takes no work, and opens again after as many failures", () => {
  const { breaker, system, changes, fail } = aBreaker();
  fail(5);
  breaker.closeIfFull();
  expect(breaker.state).toBe("open");
  system.isFull = true;
  breaker.closeIfFull();
  expect(breaker.state).toBe("closed");
  expect(breaker.trouble).toBeUndefined();
  expect(breaker.allowance()).toBe(0);
  system.isFull = false;
  expect(breaker.allowance()).toBe(8);
  fail(4);
  expect(breaker.state).toBe("closed");
  fail(1);
  expect(changes).toEqual(["open", "closed", "open"]);
});

test("and not where the system declines everything, nor where each question may do harm: that it works for others says too little", () => {
  const declined = aBreaker();
  for (let time = 0; time < 100; time += 1)
    declined.breaker.declined({ eventId: `${time}`, party: `${time}.example`, askedAt: 0, reason: "policy" });
  const harmful = aBreaker();
  harmful.fail(2, true);
  for (const { breaker, system } of [declined, harmful]) {
    system.isFull = true;
    breaker.closeIfFull();
    expect(breaker.state).toBe("open");
  }
});
