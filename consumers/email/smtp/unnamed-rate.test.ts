import { describe, expect, test } from "bun:test";
import type { SmtpFailure } from "./failure.ts";
import { mayBeOfRate, UnnamedRate } from "./unnamed-rate.ts";

const refused = (command: string, reply: string, bodyStarted = false): SmtpFailure => ({
  ...{ code: "EENVELOPE", command, reply, responseCode: Number(reply.slice(0, 3)) },
  ...{ cause: undefined, bodyStarted },
});

test.each<[boolean, string, SmtpFailure]>([
  [true, "a refusal for now of the sender", refused("MAIL FROM", "450 4.7.1 not now")],
  [true, "without an enhanced code", refused("MAIL FROM", "451 try again")],
  [true, "or with one of the system", refused("MAIL FROM", "452 4.3.1 try again")],
  [true, "and the end of the connection", refused("MAIL FROM", "421 4.7.0 try again")],
  [false, "by policy, after the body: it may be greylisting", refused("DATA", "451 4.7.1 try again", true)],
  [false, "of a fault, after the body", refused("DATA", "451 4.3.0 local error", true)],
  [false, "greylisting", refused("RCPT TO", "450 4.7.1 come back")],
  [false, "for good", refused("MAIL FROM", "550 5.7.1 no")],
  [false, "of a connection", refused("CONN", "421 4.7.0 try again")],
  [false, "what names a limit", refused("MAIL FROM", "450 4.7.1 too much mail")],
])("%p: what names no limit may mean one: %s", (is, _, failure) => expect(mayBeOfRate(failure)).toBe(is));

test("a connection is used up if it took as many mails as any lately, and none was refused one of fewer", () => {
  let nowMs = 0;
  const rate = new UnnamedRate({ now: () => nowMs });
  const why = (nth: number) => rate.refused(nowMs, nth, false);
  for (let nth = 1; nth <= 5; nth += 1) rate.accepted(nowMs, nth);
  expect([6, 6, 5, 6].map(why)).toEqual(["used up", "used up", "unknown", "unknown"]);
  nowMs += 61_000;
  rate.accepted(nowMs, 2);
  expect([6, 5, 6].map(why)).toEqual(["used up", "unknown", "unknown"]);
  nowMs += 61_000;
  rate.accepted(nowMs, 2);
  expect([3, 1].map(why)).toEqual(["used up", "unknown"]);
});

describe("mails that are refused in words that name no limit", () => {
  const aServer = () => {
    let nowMs = 0;
    const rate = new UnnamedRate({ now: () => nowMs });
    let isKnown = false;
    return {
      pass: (ms: number) => (nowMs += ms),
      accepts: (begunAt = nowMs) => rate.accepted(begunAt, 1),
      refuses: (begunAt = nowMs) => {
        const why = rate.refused(begunAt, 1, isKnown);
        isKnown = why === "rate" || (isKnown && why === "unknown");
        return why;
      },
    };
  };
  /** Some are refused, then one is accepted, three times: from then on it is a rate. */
  const aRate = () => {
    const server = aServer();
    const heard = [1, 2, 3, 4].flatMap(() => {
      const why = [server.refuses(), server.refuses()];
      server.pass(500);
      server.accepts();
      return why;
    });
    return { ...server, heard };
  };

  test("are so by a rate if others are accepted in between, three times", () => {
    const { heard } = aRate();
    expect(heard).toEqual(["unknown", "unknown", "unknown", "unknown", "unknown", "unknown", "rate", "rate"]);
  });

  test("not if the others began before them, as at the beginning of an outage", () => {
    const server = aServer();
    server.pass(1_000);
    for (let mail = 0; mail < 50; mail += 1) {
      expect(server.refuses()).toBe("unknown");
      server.pass(10);
      server.accepts(900);
    }
  });

  test("nor if so few are refused that it is three in some minutes", () => {
    const server = aServer();
    for (let turn = 0; turn < 20; turn += 1) {
      expect(server.refuses()).toBe("unknown");
      server.pass(31_000);
      server.accepts();
    }
  });

  test("are of an outage once all were for a minute, though there was a rate before", () => {
    const server = aRate();
    const heard = Array.from({ length: 30 }, () => {
      server.pass(2_500);
      return server.refuses(0);
    });
    expect(heard).toEqual([...Array(24).fill("rate"), ...Array(6).fill("no rate")]);
  });

  test.each([
    ["as many as before: it is chance, and none is looked for in the next minutes", 0.5, 0, "unknown"],
    ["few: it is one", 0.05, Number.POSITIVE_INFINITY, "rate"],
  ])("of those that begin once the pace has settled, %s", (_, share, atMost, last) => {
    const server = aRate();
    server.pass(6_000);
    const heard: string[] = [];
    for (let mail = 0; mail < 200; mail += 1) {
      server.pass(50);
      if (mail % (1 / share) === 0) heard.push(server.refuses());
      else server.accepts();
    }
    expect(heard.filter((why) => why === "no rate").length).toBe(last === "rate" ? 0 : 1);
    expect(heard.slice(heard.indexOf("no rate") + 1).filter((why) => why === "rate").length).toBeLessThanOrEqual(
      atMost,
    );
    expect(heard.at(-1)).toBe(last);
  });
});
