import { expect, test } from "bun:test";
import { ownFailure } from "./failure.ts";
import { FirstMails } from "./first-mails.ts";

const REFUSED = {
  ...ownFailure("EBUSY", false),
  ...{ command: "RCPT TO", responseCode: 452, reply: "452 4.5.3 too many recipients" },
};

const someMails = ({ others = 0, proven = 0 } = {}) => {
  let nowMs = 0;
  const firstMails = new FirstMails({ now: () => nowMs, othersHave: () => others, proven: () => proven });
  return { firstMails, pass: (ms: number) => (nowMs += ms) };
};

test("refusals that meet first mails alone are a limit, once that is no chance; until then another connection is asked", () => {
  const { firstMails } = someMails();
  firstMails.accepted(false);
  for (let mail = 0; mail < 20; mail += 1) firstMails.accepted(true);
  expect(firstMails.refused(REFUSED, false)).toBe("look again");
  expect(firstMails.refused(REFUSED, false)).toBe("look again");
  expect(firstMails.refused(REFUSED, false)).toBe("one too many");
});

test("they are the recipients' own where a connection that works is refused a mail, for a minute after", () => {
  const { firstMails, pass } = someMails();
  for (let mail = 0; mail < 20; mail += 1) firstMails.accepted(true);
  for (let mail = 0; mail < 5; mail += 1) firstMails.refused(REFUSED, false);
  expect(firstMails.refused(REFUSED, true)).toBe("unknown");
  for (let mail = 0; mail < 20; mail += 1) firstMails.accepted(true);
  expect(firstMails.refused(REFUSED, false)).toBe("unknown");
  pass(61_000);
  for (let mail = 0; mail < 20; mail += 1) firstMails.accepted(true);
  expect(firstMails.refused(REFUSED, false)).toBe("look again");
});

test("a pool that has no connection that works goes by what others have", () => {
  expect(someMails().firstMails.refused(REFUSED, false)).toBe("unknown");
  expect(someMails({ others: 2 }).firstMails.refused(REFUSED, false)).toBe("one too many");
  expect(someMails({ proven: 1 }).firstMails.refused(REFUSED, false)).toBe("look again");
  expect(someMails().firstMails.dependsOnOthers(REFUSED)).toBe(true);
  expect(someMails({ proven: 1 }).firstMails.dependsOnOthers(REFUSED)).toBe(false);
});

test("what is refused for good, at MAIL FROM or after the body is none of it", () => {
  const { firstMails } = someMails({ others: 2 });
  expect(firstMails.refused({ ...REFUSED, responseCode: 550 }, false)).toBe("unknown");
  expect(firstMails.refused({ ...REFUSED, command: "MAIL FROM" }, false)).toBe("unknown");
  expect(firstMails.refused({ ...REFUSED, bodyStarted: true }, false)).toBe("unknown");
});
