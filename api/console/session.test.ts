import { expect, test } from "bun:test";
import { createSessions, SESSION_LIFE_MS } from "./session.ts";

const OPERATOR = "the-token-of-operators";
const READER = "the-token-of-readers-1";

/** The sessions of one replica. */
const aReplica = (tokens: { operator?: string; reader?: string } = {}, clock = { ms: 1_000 }) =>
  createSessions({
    tokens: { operator: OPERATOR, reader: READER, ...tokens },
    wallClockMs: () => clock.ms,
    newId: () => Bun.randomUUIDv7(),
  });

test("a token has its role, and any other has none", () => {
  const sessions = aReplica();
  expect([OPERATOR, READER, "", `${OPERATOR}x`].map(sessions.roleOf)).toEqual([
    "operator",
    "reader",
    undefined,
    undefined,
  ]);
});

test("a session that one replica began is opened by another, until it is over", () => {
  const clock = { ms: 1_000 };
  const cookie = aReplica().begin("lan", "reader");
  const other = aReplica({}, clock);
  expect(other.open(cookie)).toMatchObject({ name: "lan", role: "reader" });
  clock.ms += SESSION_LIFE_MS;
  expect(other.open(cookie)).toBeUndefined();
});

test("a new token ends the sessions of the old one, and no others", () => {
  const [operator, reader] = [aReplica().begin("lan", "operator"), aReplica().begin("mai", "reader")];
  const changed = aReplica({ operator: "another-token-of-operators" });
  expect([changed.open(operator), changed.open(reader)?.name]).toEqual([undefined, "mai"]);
});

test("a cookie that was changed, or made of another role's key, is none", () => {
  const sessions = aReplica();
  const [body = "", mac = ""] = sessions.begin("lan", "reader").split(".");
  const content = JSON.parse(Buffer.from(body, "base64url").toString());
  const raised = Buffer.from(JSON.stringify({ ...content, role: "operator" })).toString("base64url");
  for (const cookie of [`${raised}.${mac}`, `${body}.`, body, "", `${body}.${mac.slice(1)}`, "a.b.c"]) {
    expect(sessions.open(cookie)).toBeUndefined();
  }
});

test("the forms of two sessions carry different values", () => {
  const sessions = aReplica();
  const [one, other] = [
    sessions.open(sessions.begin("lan", "operator")),
    sessions.open(sessions.begin("lan", "operator")),
  ];
  expect(one?.csrf).not.toBe(other?.csrf ?? "");
});
