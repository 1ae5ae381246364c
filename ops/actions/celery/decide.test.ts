import { describe, expect, test } from "bun:test";
import { isUuid } from "../../../database/uuid.ts";
import type { Place } from "../../../stream/celery/broker.ts";
import type { CeleryTask } from "../../../stream/celery/message.ts";
import { type DecideOptions, decide, type Known, welcomeArguments } from "./decide.ts";
import { eventIdOfTask } from "./event-id.ts";
import { unknownPassword } from "./unknown-password.ts";

const NOW = new Date("2026-11-29T02:00:00Z");
const LATER = "2026-11-29T10:00:00+07:00";
const EARLIER = "2026-11-29T08:00:00+07:00";
const QUEUED: Place = { kind: "list", priority: 0 };
const HELD: Place = { kind: "unacked", tag: "t", score: "1" };
const USER = { userId: "u", locale: "vi" };

interface Case {
  readonly task?: Partial<CeleryTask>;
  readonly place?: Place;
  readonly heldMs?: number;
  readonly facts?: Partial<Known["facts"]>;
  readonly evidence?: Partial<Known["evidence"]>;
  readonly options?: Partial<DecideOptions>;
}

const decided = ({ task, place = QUEUED, heldMs = 0, facts, evidence, options }: Case) => {
  const given: CeleryTask = {
    id: "id",
    name: "app.tasks.send_email_welcome",
    args: ["mai@example.org", "Mai"],
    kwargs: {},
    retries: 0,
    eta: null,
    expires: null,
    hasFollowUps: false,
    isRedelivered: false,
    ...task,
  };
  const decision = decide(
    { kind: "task", task: given },
    { place, heldMs },
    {
      facts: { isImported: false, isAnothers: false, isHandled: false, isNameTaken: false, user: USER, ...facts },
      evidence: { status: null, isMarked: false, ...evidence },
      now: NOW,
    },
    {
      task: "send_email_welcome",
      timezone: "UTC",
      createUsers: false,
      visibilityTimeoutMs: 3_600_000,
      takeUnacked: false,
      ...options,
    },
  );
  if (decision.kind === "leave") return `left: ${decision.reason}`;
  if (decision.kind === "drop") return `dropped: ${decision.outcome}`;
  const { state, attempts, dueAt } = decision.work;
  return [state, attempts, dueAt?.toISOString() ?? "now", ...(decision.makesUser ? ["makes the user"] : [])].join(", ");
};

const noUser = { user: undefined };
const creates = { createUsers: true };
const hours = 3_600_000;

describe("what becomes of a message", () => {
  test.each<readonly [string, Case, string]>([
    ["waits", {}, "queued, 0, now"],
    ["is due later", { task: { eta: LATER } }, "queued, 0, 2026-11-29T03:00:00.000Z"],
    ["was due", { task: { eta: EARLIER } }, "queued, 0, 2026-11-29T01:00:00.000Z"],
    [
      "was tried twice",
      { task: { retries: 2, eta: LATER }, evidence: { status: "RETRY" } },
      "queued, 2, 2026-11-29T03:00:00.000Z",
    ],
    ["was marked as sent", { evidence: { isMarked: true } }, "done, 1, now"],
    ["succeeded", { evidence: { status: "SUCCESS" }, task: { retries: 1 } }, "done, 2, now"],
    ["failed for good", { evidence: { status: "FAILURE" }, task: { retries: 3 } }, "held, 3, now"],
    ["failed, but was marked", { evidence: { status: "FAILURE", isMarked: true } }, "done, 1, now"],
    ["is begun by a worker", { evidence: { status: "STARTED" } }, "left: started"],
    [
      "was begun, and no worker runs",
      { evidence: { status: "STARTED" }, options: { takeUnacked: true } },
      "uncertain, 0, now",
    ],
    ["is begun, and its own code says how far it is", { evidence: { status: "SENDING" } }, "left: started"],
    ["a worker has received", { evidence: { status: "RECEIVED" } }, "queued, 0, now"],
    ["a worker had before, and gave back or died over", { task: { isRedelivered: true } }, "uncertain, 0, now"],
    [
      "a worker had before, and which is due later",
      { task: { isRedelivered: true, eta: LATER } },
      "queued, 0, 2026-11-29T03:00:00.000Z",
    ],
    ["was revoked", { evidence: { status: "REVOKED" } }, "left: revoked"],
    ["has a result in another format", { evidence: { status: "unreadable" } }, "left: unreadable_result"],
    ["a worker has", { place: HELD, heldMs: 0.5 * hours }, "left: held_by_worker"],
    ["a worker has had for too long", { place: HELD, heldMs: 2 * hours }, "uncertain, 0, now"],
    [
      "was held until its ETA",
      { place: HELD, heldMs: 2 * hours, task: { eta: LATER } },
      "queued, 0, 2026-11-29T03:00:00.000Z",
    ],
    ["is not in the index", { place: HELD, heldMs: Number.POSITIVE_INFINITY }, "left: held_by_worker"],
    ["no worker has any more", { place: HELD, options: { takeUnacked: true } }, "uncertain, 0, now"],
    ["was held, and sent", { place: HELD, heldMs: 2 * hours, evidence: { isMarked: true } }, "done, 1, now"],
    ["was imported", { facts: { isImported: true }, evidence: { isMarked: true } }, "dropped: imported_before"],
    ["has the id of another person's", { facts: { isImported: true, isAnothers: true } }, "left: repeated_id"],
    ["is about a user who has a mail", { facts: { isHandled: true } }, "dropped: welcomed_before"],
    ["is about nobody", { facts: noUser }, "left: no_such_user"],
    ["makes its user", { facts: noUser, options: creates }, "queued, 0, now, makes the user"],
    [
      "was sent to nobody we know",
      { facts: noUser, options: creates, evidence: { isMarked: true } },
      "done, 1, now, makes the user",
    ],
    ["has a name of another", { facts: { ...noUser, isNameTaken: true }, options: creates }, "left: name_taken"],
    ["has no address", { facts: noUser, options: creates, task: { args: ["mai", "Mai"] } }, "left: invalid_address"],
    [
      "has two addresses",
      { facts: noUser, options: creates, task: { args: ["a@b.vn,c@d.vn", "Mai"] } },
      "left: invalid_address",
    ],
    ["has no name", { facts: noUser, options: creates, task: { args: ["a@b.vn", " "] } }, "left: invalid_name"],
    [
      "has a name with a line break",
      { facts: noUser, options: creates, task: { args: ["a@b.vn", "a\r\nb"] } },
      "left: invalid_name",
    ],
    ["has one argument", { task: { args: ["mai@example.org"] } }, "left: wrong_arguments"],
    ["has three arguments", { task: { kwargs: { cc: "x" } } }, "left: wrong_arguments"],
    ["has a number for a name", { task: { args: ["a@b.vn", 1] } }, "left: wrong_arguments"],
    ["is of a chain", { task: { hasFollowUps: true } }, "left: has_follow_ups"],
    ["has expired", { task: { expires: EARLIER } }, "left: expired"],
    ["will have expired when it is due", { task: { expires: "2026-11-29T02:30:00Z", eta: LATER } }, "left: expired"],
    ["has expired, and was sent", { task: { expires: EARLIER }, evidence: { status: "SUCCESS" } }, "done, 1, now"],
    ["has another expiry: sent nobody knows how late", { task: { expires: "soon" } }, "left: unreadable_expiry"],
    ["has another expiry, and was sent", { task: { expires: "soon" }, evidence: { isMarked: true } }, "done, 1, now"],
    ["has another ETA", { task: { eta: "soon" } }, "left: unreadable_eta"],
    ["is another task", { task: { name: "app.tasks.resize" } }, "left: other_task"],
  ])("that %s", (_, given, expected) => {
    expect(decided(given)).toBe(expected);
  });
});

test("arguments are read by position, by name, and mixed", () => {
  const read = (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>) =>
    welcomeArguments({
      kind: "task",
      task: {
        ...{ id: "i", name: "n", args, kwargs, retries: 0, eta: null, expires: null },
        ...{ hasFollowUps: false, isRedelivered: false },
      },
    });
  const mai = { email: "mai@example.org", userName: "Mai" };
  expect(read([" mai@example.org ", "Mai"], {})).toEqual(mai);
  expect(read(["mai@example.org"], { username: "Mai" })).toEqual(mai);
  expect(read([], { username: "Mai", email_to: "mai@example.org" })).toEqual(mai);
  expect(read(["mai@example.org", "Mai"], { username: "Mai" })).toBeUndefined();
});

test("the event of a task is always the same, and a UUID", () => {
  expect(eventIdOfTask("10000000-0000-4000-8000-000000000001")).toBe("edf56130-7713-5c92-b6fd-f896251e540c");
  expect(isUuid(eventIdOfTask("any text"))).toBe(true);
  expect(eventIdOfTask("a")).not.toBe(eventIdOfTask("b"));
});

test("nobody knows the password of a user who is made, and checking one answers no", async () => {
  expect(await Bun.password.verify("", unknownPassword())).toBe(false);
  expect(unknownPassword()).not.toBe(unknownPassword());
});
