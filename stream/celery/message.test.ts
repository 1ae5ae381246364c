import { describe, expect, test } from "bun:test";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { CAPTURED } from "../../tests/celery/captured.ts";
import { celeryMoment, decodeTask, isNamed } from "./message.ts";

const NAME = "app.tasks.send_email_welcome";
const decoded = (text: string) => decodeTask(JSON.parse(text));
const task = (parts: object) => ({
  kind: "task" as const,
  task: {
    name: NAME,
    id: expect.any(String),
    kwargs: {},
    retries: 0,
    eta: null,
    expires: null,
    hasFollowUps: false,
    isRedelivered: false,
    ...parts,
  },
});

describe("a message that Celery 5 wrote", () => {
  test.each([
    ["plain", { id: "10000000-0000-4000-8000-000000000001", args: ["a@example.org", "Đặng Mai"] }],
    ["keywords", { args: [], kwargs: { email_to: "b@example.org", username: "B" } }],
    [
      "countdown",
      { args: ["c@example.org"], kwargs: { username: "C" }, eta: expect.stringMatching(/^2026-11-29T.*\+07:00$/) },
    ],
    ["naiveEta", { args: ["d@example.org", "D"], eta: "2030-01-01T03:04:05.123456" }],
    ["priority6", { args: ["e@example.org", "E"] }],
    ["callback", { args: ["f@example.org", "F"], hasFollowUps: true }],
    ["chain", { args: ["k@example.org", "K"], hasFollowUps: true }],
    ["expires", { args: ["h@example.org", "H"], expires: expect.any(String) }],
    ["oneArgument", { args: ["i@example.org"] }],
    ["compressed", { args: ["g@example.org", "G"] }],
    ["otherTask", { name: "app.tasks.resize_avatar", args: [1] }],
    ["retriedOnce", { args: ["retry@example.org", "X"], retries: 1, eta: expect.any(String) }],
    ["protocol1", { id: "10000000-0000-4000-8000-00000000000a", args: ["first@example.org", "First"] }],
    ["protocol1Countdown", { args: ["first-eta@example.org", "First"], eta: expect.any(String) }],
  ] as const)("is read: %s", (name, parts) => {
    expect(decoded(CAPTURED[name])).toMatchObject(task(parts));
  });

  test.each([
    ["in a way that we do not inflate", CAPTURED.compressed.replace("x-gzip", "x-bz2"), "compressed"],
    ["pickled", CAPTURED.pickled, "unknown_encoding"],
  ] as const)("is not understood, and named: %s", (_, text, reason) => {
    expect(decoded(text)).toEqual({ kind: "unreadable", reason, id: expect.any(String), name: NAME });
  });
});

test("a message that a worker has given back, or not acknowledged in time, says so", () => {
  for (const text of [CAPTURED.plain, CAPTURED.protocol1]) {
    const message = JSON.parse(text);
    const again = { ...message, headers: { ...message.headers, redelivered: true } };
    expect(decodeTask(again)).toMatchObject({ task: { isRedelivered: true } });
  }
});

test("nothing that is in a queue makes it throw", () => {
  expect(decodeTask(undefined)).toMatchObject({ kind: "unreadable", reason: "not_json" });
  expect(decodeTask({ headers: { id: "x" } })).toMatchObject({ reason: "unknown_envelope" });
  const plain = JSON.parse(CAPTURED.plain);
  expect(decodeTask({ ...plain, body: "%%%" })).toMatchObject({ reason: "unreadable_body" });
  const bomb = deflateSync(JSON.stringify([["a@example.org", "A".repeat(2 << 20)], {}, {}])).toString("base64");
  const compressed = JSON.parse(CAPTURED.compressed);
  for (const body of [bomb, plain.body, "%%%"])
    expect(decodeTask({ ...compressed, body })).toMatchObject({ reason: "unreadable_body" });
  fc.assert(fc.property(fc.jsonValue(), (value) => void decodeTask(value)));
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, body) => void decodeTask({ ...plain, headers: value, body })),
  );
});

test("a task is meant by its full name or its last part", () => {
  expect(
    ["send_email_welcome", "tasks.send_email_welcome", NAME].map((wanted) => isNamed({ name: NAME }, wanted)),
  ).toEqual([true, true, true]);
  expect(["welcome", "send_email", "email_welcome"].map((wanted) => isNamed({ name: NAME }, wanted))).toEqual([
    false,
    false,
    false,
  ]);
});

test("times are read as Python writes them; one without an offset is in the zone of the app", () => {
  const at = (text: string, zone = "Asia/Ho_Chi_Minh") => celeryMoment(text, zone)?.toISOString();
  expect(at("2026-11-29T09:08:02.482030+07:00")).toBe("2026-11-29T02:08:02.482Z");
  expect(at("2030-01-01T03:04:05.123456")).toBe("2029-12-31T20:04:05.123Z");
  expect(at("2030-01-01T03:04:05", "UTC")).toBe("2030-01-01T03:04:05.000Z");
  expect(at("2030-07-01T03:04:05", "America/New_York")).toBe("2030-07-01T07:04:05.000Z");
  // An hour after the clocks were set forward, and back.
  expect(at("2030-03-31T03:30:00", "Europe/Berlin")).toBe("2030-03-31T01:30:00.000Z");
  expect(at("2030-10-27T03:30:00", "Europe/Berlin")).toBe("2030-10-27T02:30:00.000Z");
  expect(at("2030-03-10T03:30:00", "America/New_York")).toBe("2030-03-10T07:30:00.000Z");
  expect(at("2030-01-01 03:04:05Z")).toBe("2030-01-01T03:04:05.000Z");
  expect([at("tomorrow"), at("2030-13-01T00:00:00"), at("")]).toEqual([undefined, undefined, undefined]);
});
