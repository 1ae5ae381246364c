import { describe, expect, test } from "bun:test";
import type { Outcome } from "./handler.ts";
import { aLearner, deferredBy, domain, each, kindsOf, refusedBefore, refusedBy, sent } from "./learner-for-tests.ts";

describe("a refusal by a party", () => {
  test("is final at the second look, if what began after the first was accepted", () => {
    const { learn, pass } = aLearner();
    expect(learn(refusedBy("a.example"))).toMatchObject({ kind: "unavailable", reason: "policy" });
    pass(1_000);
    learn(sent);
    pass(1_000);
    expect(learn(refusedBy("a.example"), refusedBefore(2_000))).toEqual(refusedBy("a.example"));
  });

  test("is not final because of what began before it", () => {
    const { learn, pass } = aLearner();
    learn(sent);
    pass(1_000);
    expect(learn(refusedBy("a.example"), refusedBefore(500))).toMatchObject({ kind: "unavailable", reason: "policy" });
  });

  test("is not final because of what was accepted during the second look: everybody's refusal may have ended meanwhile", () => {
    const { breaker, learn, pass } = aLearner();
    expect(learn(refusedBy("a.example"))).toMatchObject({ kind: "unavailable" });
    pass(1_000);
    const second = { startedAt: 1_000, acceptedSince: breaker.acceptedSince };
    learn(sent);
    pass(50);
    expect(learn(refusedBy("a.example"), refusedBefore(1_000), second)).toMatchObject({ kind: "unavailable" });
    pass(1_000);
    expect(learn(refusedBy("a.example"), refusedBefore(2_050, 2))).toEqual(refusedBy("a.example"));
  });

  test("is final at the fourth look where nothing else was sent", () => {
    const { learn } = aLearner();
    const looks = [1, 2, 3].map((failures) => learn(refusedBy("a.example"), refusedBefore(60_000, failures)).kind);
    expect(looks).toEqual(["unavailable", "unavailable", "rejected"]);
  });

  test("is held at the fourth look where others were refused as well", () => {
    const { learn } = aLearner();
    learn(refusedBy("b.example"));
    expect(learn(refusedBy("a.example"), refusedBefore(60_000, 3))).toMatchObject({
      kind: "held",
      reason: "account_refused",
      reply: "550 5.7.1 no",
    });
  });

  test("after an outage, whatever that cost, is a first one", () => {
    const { learn } = aLearner();
    expect(learn(refusedBy("a.example"), { systemFailures: 20, lastReason: "connection_refused" })).toMatchObject({
      kind: "unavailable",
    });
  });

  test("of which each look has another reason is one refusal, as by a system of several nodes", () => {
    const { learn, pass } = aLearner();
    const other: Outcome = {
      kind: "rejected",
      reason: "rejected",
      reply: "554 no",
      party: "a.example",
      alike: ["policy"],
    };
    expect(learn(refusedBy("a.example"))).toMatchObject({ kind: "unavailable", reason: "policy" });
    pass(1_000);
    learn(sent);
    pass(1_000);
    expect(learn(other, refusedBefore(2_000))).toEqual(other);
  });

  test("of everything is told in that party's words, whatever another defers meanwhile", () => {
    const { learn, parties } = aLearner();
    for (const outcome of each(5, () => refusedBy("a.example"))) learn(outcome);
    learn(deferredBy("b.example"));
    expect(parties.waitingWords()).toBe("550 5.7.1 no");
  });

  test("an account that is refused for all, over many domains: none of a hundred is rejected", () => {
    const { learn } = aLearner();
    expect(kindsOf(each(100, (n) => learn(refusedBy(domain(n)))))).toEqual({ unavailable: 100 });
    // And none when they are due again.
    expect(kindsOf(each(100, (n) => learn(refusedBy(domain(n)), refusedBefore(1_000))))).toEqual({ unavailable: 100 });
  });

  test("an account that is refused after a time of success: none is rejected", () => {
    const { learn, parties, pass } = aLearner();
    for (let n = 0; n < 10; n += 1) parties.succeeded(domain(n));
    learn(sent);
    pass(10);
    expect(kindsOf(each(100, (n) => learn(refusedBy(domain(n % 10)))))).toEqual({ unavailable: 100 });
    pass(200);
    expect(kindsOf(each(4, (n) => learn(refusedBy(domain(n)), refusedBefore(200))))).toEqual({ unavailable: 4 });
  });

  test("an account that is refused for all: a domain with many of the mails does not wait by itself for it", () => {
    const { learn, parties } = aLearner();
    for (const outcome of each(5, (n) => refusedBy(domain(n)))) learn(outcome);
    expect(kindsOf(each(100, () => learn(refusedBy("large.example"))))).toEqual({ unavailable: 100 });
    expect(parties.waitMs("large.example")).toBe(0);
  });

  test("a domain that refuses everything: what it refuses is held, and none is rejected", () => {
    const { learn, parties } = aLearner();
    const outcomes = each(100, () => {
      learn(sent);
      return learn(refusedBy("no.example"));
    });
    expect(kindsOf(outcomes)).toEqual({ unavailable: 4, held: 96 });
    expect(outcomes.at(-1)).toMatchObject({ reason: "party_refuses", reply: "550 5.7.1 no", forMs: 1_000 });
    // Longer each time that it comes back.
    expect(learn(refusedBy("no.example"), { attempts: 2 })).toMatchObject({ kind: "held", forMs: 4_000 });
    expect(parties.waitMs("no.example")).toBeGreaterThan(0);
  });
});

describe("a refusal for now", () => {
  test("uses up an attempt where others are accepted", () => {
    const { learn } = aLearner();
    for (let n = 0; n < 20; n += 1) {
      learn(sent);
      expect(learn(deferredBy(domain(n)))).toEqual(deferredBy(domain(n)));
    }
  });

  test("is the system's, and uses up none, when many parties in a row give it", () => {
    const { learn } = aLearner();
    expect(kindsOf(each(100, (n) => learn(deferredBy(domain(n)))))).toEqual({ transient: 4, unavailable: 96 });
  });

  test("by a system that takes so many a minute uses up none after the first minute, until ten minutes after the last", () => {
    const { learn, pass } = aLearner();
    for (let minute = 0; minute < 10; minute += 1) {
      const outcomes = each(50, (n) => learn(n < 20 ? sent : deferredBy(domain(n))));
      expect(kindsOf(outcomes)["transient"] ?? 0).toBe(minute === 0 ? 4 : 0);
      pass(60_000);
    }
    learn(sent);
    pass(540_000);
    expect(learn(deferredBy("own.example"))).toEqual(deferredBy("own.example"));
  });

  test("by one party, which takes so many a minute, uses up none after the first four, until ten minutes after the last", () => {
    const { learn, pass } = aLearner();
    for (let minute = 0; minute < 10; minute += 1) {
      const outcomes = each(50, (n) => (n < 20 ? learn(sent) : learn(deferredBy(domain(0)))));
      expect(kindsOf(outcomes)["transient"] ?? 0).toBe(minute === 0 ? 4 : 0);
      const own = deferredBy(`own-${minute}.example`);
      expect(learn(own)).toEqual(own);
      pass(60_000);
    }
    learn(sent);
    pass(540_000);
    expect(learn(deferredBy(domain(0)))).toEqual(deferredBy(domain(0)));
  });

  test("by one party that defers everything uses up an attempt of who was deferred for an hour and a half: it may be its own", () => {
    const { learn } = aLearner();
    each(10, () => learn(deferredBy("a.example")));
    expect(learn(deferredBy("a.example"), { systemFailures: 19 }).kind).toBe("unavailable");
    expect(learn(deferredBy("a.example"), { systemFailures: 20 }).kind).toBe("transient");
  });

  test("with a time to come back, as by greylisting, uses up none four times, and then one each", () => {
    const { learn } = aLearner();
    const told = (n: number): Outcome => ({
      ...deferredBy(domain(n)),
      kind: "transient",
      reason: "greylisted",
      minDelayMs: 300_000,
    });
    const kinds = each(6, (systemFailures) => {
      learn(sent);
      return learn(told(systemFailures + 1), { systemFailures });
    });
    expect(kindsOf(kinds)).toEqual({ unavailable: 4, transient: 2 });
    expect(kinds[0]).toMatchObject({ minDelayMs: 300_000, reason: "greylisted" });
  });

  test("of one piece again and again is its own, not its party's", () => {
    const { learn } = aLearner();
    const same = { eventId: "the same" };
    expect(kindsOf(each(20, () => learn(deferredBy("a.example"), {}, same)))).toEqual({ transient: 20 });
  });

  test("with a time to come back, as by greylisting, does not make the domain wait", () => {
    const { learn, parties } = aLearner();
    for (let n = 0; n < 200; n += 1)
      learn({ kind: "transient", reason: "greylisted", party: "g.example", minDelayMs: 1 });
    expect(parties.waiting()).toBe(0);
  });

  test("of a working system, about one party, releases nothing and never stops the work", () => {
    const { learn, breaker } = aLearner();
    const outcome = { kind: "unavailable", reason: "service_unavailable", party: "a.example" } as const;
    for (let n = 0; n < 60; n += 1) expect(learn(outcome)).toEqual(outcome);
    expect(breaker.allowance()).toBe(20);
  });
});

describe("a failure of the system", () => {
  test("opens the breaker, and what is in flight then is released", () => {
    const { learn, breaker } = aLearner();
    const down: Outcome = { kind: "unavailable", reason: "connection_refused" };
    expect(kindsOf(each(10, () => learn(down)))).toEqual({ unavailable: 4, released: 6 });
    expect(breaker.state).toBe("open");
  });
});

test("what was rejected without asking the system says nothing about it", () => {
  const { learn, breaker } = aLearner();
  each(5, (n) => learn(refusedBy(domain(n))));
  learn({ kind: "rejected", reason: "expired" });
  expect(breaker.isDeclining).toBe(true);
  learn({ kind: "rejected", reason: "no_such_address", reply: "550 5.1.1" });
  expect(breaker.isDeclining).toBe(false);
});

test("what is done without asking the system says nothing of it: the breaker stays open", () => {
  const { breaker, learn } = aLearner();
  for (const _ of each(5, () => sent)) learn({ kind: "unavailable", reason: "auth", isHarmful: true });
  expect(breaker.state).toBe("open");
  learn({ kind: "done", isUnasked: true });
  expect([breaker.state, breaker.trouble?.reason]).toEqual(["open", "auth"]);
  learn(sent);
  expect(breaker.state).toBe("recovering");
});
