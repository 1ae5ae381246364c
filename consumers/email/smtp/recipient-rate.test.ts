import { describe, expect, test } from "bun:test";
import type { SmtpFailure } from "./failure.ts";
import { RecipientRate } from "./recipient-rate.ts";

const refused = (command: string, reply: string, more: Partial<SmtpFailure> = {}): SmtpFailure => ({
  ...{ code: "EENVELOPE", command, reply, responseCode: Number(reply.slice(0, 3)) },
  ...{ cause: undefined, bodyStarted: false },
  ...more,
});

const NOT_NOW = refused("RCPT TO", "451 4.7.1 Try again later");

/** What a failure is taken for, and what is heard in the meantime. */
const aServer = ({ isOurs = true }: { readonly isOurs?: boolean } = {}) => {
  let nowMs = 0;
  let none = 0;
  const onNone = () => {
    none += 1;
  };
  const rate = new RecipientRate({ now: () => nowMs, whose: { mayBeOurs: () => isOurs }, onNone });
  let isKnown = false;
  return {
    none: () => none,
    pass: (ms: number) => (nowMs += ms),
    accepts: (to: string, failures = 0) => rate.accepted({ to, failures }, nowMs),
    refuses: (to: string, failures = 0, failure = NOT_NOW) => {
      const { unnamed, secondLookMs } = rate.judged(failure, { to, failures }, nowMs, isKnown);
      if (unnamed === "rate") isKnown = true;
      return unnamed ?? (secondLookMs === undefined ? "its own" : secondLookMs === 0 ? "perhaps" : "perhaps, later");
    },
  };
};

test.each<[string, string, SmtpFailure]>([
  ["perhaps", "policy, at RCPT", NOT_NOW],
  ["perhaps", "the same, without an enhanced code", refused("RCPT TO", "450 try again")],
  ["perhaps", "the end of the connection, at RCPT", refused("RCPT TO", "421 4.7.0 try again later")],
  ["perhaps", "the system's status", refused("RCPT TO", "452 4.3.1 not now")],
  ["perhaps", "after the body", refused("DATA", "451 4.3.2 not now", { bodyStarted: true })],
  [
    "perhaps",
    "for good, in words of a rate that count as the domain's",
    refused("RCPT TO", "550 5.7.1 rate limit exceeded", { isOfDomain: true }),
  ],
  ["its own", "in words of a rate that is ours", refused("RCPT TO", "450 4.7.1 rate limit exceeded")],
  ["its own", "at MAIL FROM", refused("MAIL FROM", "451 4.7.1 Try again later")],
  ["its own", "for good", refused("RCPT TO", "550 5.7.1 no")],
  ["its own", "of a mailbox", refused("RCPT TO", "452 4.2.2 full")],
  ["its own", "of an address", refused("RCPT TO", "450 4.1.1 unverified address")],
  ["its own", "greylisting that says so", refused("RCPT TO", "451 4.7.1 Greylisted, come back in 300 seconds")],
  ["its own", "of another code", refused("DATA", "454 4.7.0 not now", { bodyStarted: true })],
])("may a rate have refused it, %s: %s", (expected, _, failure) =>
  expect(aServer().refuses("a", 0, failure)).toBe(expected),
);

test("a refusal of domains that are no part of ours to judge is their own", () => {
  expect(aServer({ isOurs: false }).refuses("a")).toBe("its own");
});

describe("mails that are refused once the server has heard the recipient", () => {
  /** Ten are refused, some others accepted, and two of the ten at their second look; two others are not. */
  const aRate = () => {
    const server = aServer();
    const first = Array.from({ length: 10 }, (_, mail) => server.refuses(`m${mail}`));
    for (let mail = 0; mail < 5; mail += 1) server.accepts(`n${mail}`);
    server.pass(1_000);
    server.accepts("m0", 1);
    server.accepts("m1", 1);
    server.refuses("m8", 1);
    server.refuses("m9", 1);
    return { ...server, first };
  };

  test("are looked at again soon, and are so by a rate once two of these looks were accepted", () => {
    const server = aRate();
    expect(server.first).toEqual(Array(10).fill("perhaps"));
    expect(["m2", "m3", "x", "y"].map((mail) => server.refuses(mail))).toEqual(Array(4).fill("rate"));
  });

  test("are so for their own sake if no second look is accepted, as often as others are: none is looked for then", () => {
    const server = aServer();
    const heard: string[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      for (let mail = 0; mail < 3; mail += 1) heard.push(server.refuses(`m${mail}`, turn));
      for (let mail = 0; mail < 7; mail += 1) server.accepts(`n${turn}-${mail}`);
      server.pass(1_000);
    }
    expect(heard).not.toContain("rate");
    expect(heard.slice(0, 6)).toEqual(Array(6).fill("perhaps"));
    expect(heard.slice(9)).toEqual(Array(21).fill("its own"));
    expect(server.refuses("new")).toBe("its own");
    server.pass(6 * 60_000);
    expect(server.refuses("new")).toBe("perhaps");
  });

  test("are asked to come again soon if all second looks are accepted: that is no rate, and each of them is", () => {
    const server = aServer();
    const heard: string[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      for (let mail = 0; mail < 3; mail += 1) heard.push(server.refuses(`m${turn}-${mail}`));
      for (let mail = 0; mail < 7; mail += 1) server.accepts(`n${turn}-${mail}`);
      server.pass(1_000);
      for (let mail = 0; mail < 3; mail += 1) server.accepts(`m${turn}-${mail}`, 1);
    }
    expect(new Set(heard)).toEqual(new Set(["perhaps"]));
  });

  test("are greylisted where no first look is accepted, though the later ones are", () => {
    const server = aServer();
    const heard: string[] = [];
    for (let mail = 0; mail < 200; mail += 1) {
      server.pass(1_000);
      heard.push(server.refuses(`m${mail}`));
      if (mail > 60) server.accepts(`m${mail - 60}`, 1);
    }
    expect(heard).not.toContain("rate");
    expect(new Set(heard.slice(40, 60))).toEqual(new Set(["its own"]));
  });

  test("wait a little longer once enough of them are looked at again soon: more of them where fewer are accepted", () => {
    const server = aServer();
    const soonOf = (accepted: number) => {
      const heard: string[] = [];
      for (let mail = 0; mail < 1_000; mail += 1) {
        if (mail % 20 < accepted) server.accepts(`${accepted}-${mail}`);
        else heard.push(server.refuses(`${accepted}-${mail}`));
      }
      server.pass(61_000);
      expect(new Set(heard)).toEqual(new Set(["perhaps", "perhaps, later"]));
      return heard.filter((each) => each === "perhaps").length;
    };
    expect(soonOf(14)).toBeLessThan(20);
    expect(soonOf(1)).toBeGreaterThan(60);
  });

  test("are looked at again soon three times, while nothing is known", () => {
    const server = aServer();
    const heard = [0, 1, 2, 3].map((failures) => server.refuses("m", failures));
    expect(heard).toEqual(["perhaps", "perhaps", "perhaps", "its own"]);
  });

  test("are so for their own sake once that was seven times, also while a rate is kept", () => {
    const server = aRate();
    const heard = Array.from({ length: 8 }, () => {
      server.pass(1_000);
      server.accepts("other");
      return server.refuses("m");
    });
    expect(heard).toEqual([...Array(6).fill("rate"), "its own", "its own"]);
  });

  test("are not so by a rate if as many are refused at the slower pace: it is forgotten", () => {
    const server = aRate();
    const heard: string[] = [];
    for (let mail = 0; mail < 200; mail += 1) {
      server.pass(100);
      if (mail % 2 === 0) heard.push(server.refuses(`x${mail}`));
      else server.accepts(`y${mail}`);
    }
    expect(server.none()).toBe(1);
    expect(heard[0]).toBe("rate");
    expect(heard.at(-1)).toBe("its own");
  });
});
