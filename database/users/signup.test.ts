import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aSignup } from "../../tests/pipeline.ts";
import { comparisonKey } from "../comparison-key.ts";
import { openDatabase } from "../connection.ts";
import { databaseFault } from "../errors.ts";
import { findByIdempotencyKey } from "./idempotency-keys.ts";
import { createSignupWriter } from "./signup.ts";

const bindings = ["welcome-email", "example"].map((group_name) => ({
  type: "user.signed_up.v1",
  group_name,
  delay_ms: null,
}));

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const kindOf = (result: { readonly kind: string }) => result.kind;

test("a signup is a user, an event, a delivery for each bound group, and an outbox row, of one moment", async () => {
  const signup = aSignup();
  const result = await createSignupWriter(database.db, bindings).write(signup);
  const rows = await database.db
    .selectFrom("users")
    .innerJoin("events", (join) => join.on("subject", "=", signup.userId))
    .innerJoin("deliveries", "deliveries.event_id", "events.event_id")
    .innerJoin("outbox", "outbox.event_id", "events.event_id")
    .select(["users.created_at as made_at", "events.created_at as logged_at", "deliveries.created_at as queued_at"])
    .select(["outbox.created_at as waits_since", "group_name", "state", "type", "data"])
    .where("users.id", "=", signup.userId)
    .orderBy("group_name")
    .execute();
  const made = rows[0]?.made_at;
  expect(result).toEqual({ kind: "created", createdAt: made ?? new Date(0) });
  const { type, data } = signup.event;
  const moment = { made_at: made, logged_at: made, queued_at: made, waits_since: made, state: "queued", type, data };
  expect(rows).toEqual(
    ["example", "welcome-email"].map((group_name) => expect.objectContaining({ ...moment, group_name })),
  );
});

test("a bad row in a shared statement fails alone", async () => {
  const writer = createSignupWriter(database.db, bindings);
  const results = await Promise.allSettled([
    writer.write(aSignup()),
    // Postgres stores no NUL in a text.
    writer.write(aSignup({ userName: "a\u0000b" })),
    writer.write(aSignup()),
  ]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  const [, bad] = results;
  expect(bad?.status === "rejected" && databaseFault(bad.reason).kind).toBe("bad-data");
  await writer.idle();
});

test("of duplicates within one batch one is made, the others get what is taken", async () => {
  const writer = createSignupWriter(database.db, bindings);
  const { emailKey, userNameKey } = aSignup();
  const sameEmail = await Promise.all(Array.from({ length: 5 }, () => writer.write(aSignup({ emailKey }))));
  expect(sameEmail.map(kindOf).sort()).toEqual(["created", ...Array.from({ length: 4 }, () => "email_taken")]);
  const sameName = await Promise.all(Array.from({ length: 5 }, () => writer.write(aSignup({ userNameKey }))));
  expect(sameName.map(kindOf).sort()).toEqual(["created", ...Array.from({ length: 4 }, () => "user_name_taken")]);
});

test("names are compared without regard to case and composition, in any locale of the database", async () => {
  const writer = createSignupWriter(database.db, bindings);
  const tag = randomHex(4);
  const named = (userName: string) => writer.write(aSignup({ userName, userNameKey: comparisonKey(userName) }));
  expect(kindOf(await named(`ĐẶNG ${tag}`))).toBe("created");
  for (const other of [`đặng ${tag}`, `Đặng ${tag}`.normalize("NFD"), `ĐẶNG ${tag}`.toLocaleLowerCase("vi")]) {
    expect(kindOf(await named(other))).toBe("user_name_taken");
  }
  expect(kindOf(await named(`Dang ${tag}`))).toBe("created");
});

test("writers that meet over the same names in different orders neither deadlock nor make duplicates", async () => {
  const names = Array.from({ length: 60 }, () => randomHex(6));
  const pools = [1, 2, 3].map((n) => openDatabase({ url: database.url, poolSize: 3, applicationName: `writer ${n}` }));
  const results = await Promise.all(
    pools.flatMap((db, index) => {
      const writer = createSignupWriter(db, bindings);
      const ordered = index === 1 ? names.toReversed() : names;
      return ordered.map((name) => writer.write(aSignup({ emailKey: name, userNameKey: name })));
    }),
  );
  expect(results.filter((result) => result.kind === "created")).toHaveLength(names.length);
  await Promise.all(pools.map((db) => db.destroy()));
});

test("one Idempotency-Key makes one user, also within one batch", async () => {
  const writer = createSignupWriter(database.db, bindings);
  const idempotencyKeyHash = randomHex(32);
  const results = await Promise.all(Array.from({ length: 5 }, () => writer.write(aSignup({ idempotencyKeyHash }))));
  expect(results.map(kindOf).sort()).toEqual(["created", ...Array.from({ length: 4 }, () => "idempotency_key_used")]);
  const users = await database.db
    .selectFrom("idempotency_keys")
    .innerJoin("users", "users.id", "user_id")
    .selectAll()
    .execute();
  expect(users).toHaveLength(1);
  expect(await findByIdempotencyKey(database.db, idempotencyKeyHash)).toMatchObject({ userId: users[0]?.id });
});

test("an unavailable database rejects every queued signup as unavailable", async () => {
  const away = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "away" });
  const writer = createSignupWriter(away, bindings);
  const results = await Promise.allSettled([writer.write(aSignup()), writer.write(aSignup())]);
  expect(results.map((result) => result.status === "rejected" && databaseFault(result.reason).kind)).toEqual([
    "unavailable",
    "unavailable",
  ]);
  await writer.idle();
  await away.destroy();
});
