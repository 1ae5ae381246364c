import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aSignup } from "../../tests/pipeline.ts";
import { createConfirm } from "./confirm.ts";
import { createConfirmationKey } from "./confirmation-key.ts";
import { createSignupWriter } from "./signup.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const TYPE = "user.email_verified.v1";
const confirm = createConfirm([{ type: TYPE, group_name: "example", delay_ms: null }]);

const aConfirmation = (userId: string, token = randomHex(36)) => ({
  userId,
  tokenHash: createHash("sha256").update(token).digest("hex"),
  event: {
    eventId: Bun.randomUUIDv7(),
    type: TYPE,
    subject: userId,
    data: { user_id: userId },
    ...randomTraceContext(randomHex),
  },
});

const aUser = async (): Promise<string> => {
  const signup = aSignup();
  await createSignupWriter(database.db, []).write(signup);
  return signup.userId;
};

const eventsOf = (userId: string) =>
  database.db
    .selectFrom("events")
    .innerJoin("deliveries", "deliveries.event_id", "events.event_id")
    .innerJoin("outbox", "outbox.event_id", "events.event_id")
    .select(["events.event_id", "type", "group_name", "data"])
    .where("subject", "=", userId)
    .where("type", "=", TYPE)
    .execute();

const userOf = (userId: string) =>
  database.db.selectFrom("users").selectAll().where("id", "=", userId).executeTakeFirstOrThrow();

test("a confirmation writes user, event, delivery and outbox row; of the token only its hash", async () => {
  const userId = await aUser();
  const confirmation = aConfirmation(userId);
  const result = await confirm(database.db, confirmation);
  expect(result).toMatchObject({ kind: "confirmed", event: { event_id: confirmation.event.eventId } });
  expect(await eventsOf(userId)).toEqual([
    {
      event_id: confirmation.event.eventId,
      type: TYPE,
      group_name: "example",
      data: { user_id: userId },
    },
  ]);
  const user = await userOf(userId);
  expect(user.email_verified_at).toBeInstanceOf(Date);
  expect(user.confirmation_hash?.toString("hex")).toBe(confirmation.tokenHash);
});

test("of twenty at once, by one link or by several, one confirms, and there is one event", async () => {
  const userId = await aUser();
  const attempts = Array.from({ length: 20 }, (_, index) => aConfirmation(userId, `token ${index % 3}`));
  const results = await Promise.all(attempts.map((each) => confirm(database.db, each)));
  expect(results.map(({ kind }) => kind).sort()).toEqual(["confirmed", ...Array(19).fill("confirmed_before")]);
  expect(await eventsOf(userId)).toHaveLength(1);
});

test("a token is used once, also if the confirmation is withdrawn", async () => {
  const userId = await aUser();
  await confirm(database.db, aConfirmation(userId, "first"));
  await database.db.updateTable("users").set({ email_verified_at: null }).where("id", "=", userId).execute();
  expect(await confirm(database.db, aConfirmation(userId, "first"))).toEqual({ kind: "used" });
  expect(await confirm(database.db, aConfirmation(userId, "second"))).toMatchObject({ kind: "confirmed" });
});

test("nobody is confirmed who does not exist", async () => {
  const userId = Bun.randomUUIDv7();
  expect(await confirm(database.db, aConfirmation(userId))).toEqual({ kind: "no_such_user" });
  expect(await eventsOf(userId)).toEqual([]);
});

test("every process reads the same key; a secret makes another one", async () => {
  const keys = await Promise.all(
    [undefined, undefined, "a secret", "a secret", "another"].map((secret) =>
      createConfirmationKey(database.db, secret)(),
    ),
  );
  expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(3);
  expect(keys[0]).toEqual(keys[1] ?? Buffer.of());
});
