import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { randomHex } from "../../observability/trace-context.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { eventually } from "../../tests/eventually.ts";
import { aSignup } from "../../tests/pipeline.ts";
import { aStranger } from "../../tests/stranger.ts";
import { comparisonKey } from "../comparison-key.ts";
import { openDatabase } from "../connection.ts";
import { databaseFault } from "../errors.ts";
import { findByIdempotencyKey } from "./idempotency-keys.ts";
import { createSignupWriter } from "./signup.ts";
import type { NewSignup } from "./signup-rows.ts";

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

test("of duplicates in two statements at a time one is made, and their neighbours all are", async () => {
  const writer = createSignupWriter(database.db, bindings);
  const waves = Array.from({ length: 10 }, async () => {
    const shared = aSignup().emailKey;
    const wave = () => [aSignup({ emailKey: shared }), ...Array.from({ length: 9 }, () => aSignup())];
    const first = wave().map((signup) => writer.write(signup));
    // In the next turn of the event loop: the first statement has begun.
    await new Promise<void>((next) => setImmediate(next));
    const results = await Promise.all([...first, ...wave().map((signup) => writer.write(signup))]);
    return Map.groupBy(results.map(kindOf), (kind) => kind);
  });
  for (const kinds of await Promise.all(waves)) {
    expect(kinds.get("created")).toHaveLength(19);
    expect(kinds.get("email_taken")).toHaveLength(1);
  }
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

describe("a row that somebody else has locked", () => {
  /** What an open transaction of somebody else holds: an address, a name, or a key. */
  const holding = ({ userId, userName, userNameKey, email, emailKey, passwordHash, locale }: NewSignup) =>
    `insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
     values ('${userId}', '${userName}', '${userNameKey}', '${email}', '${emailKey}', '${passwordHash}', '${locale}')`;
  const backendsWaiting = async () =>
    (
      await database.db
        .selectNoFrom(
          sql<number>`(select count(*)::int from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock')`.as("waiting"),
        )
        .executeTakeFirstOrThrow()
    ).waiting;
  const codeOf = async (refused: Promise<unknown>) =>
    databaseFault(await refused.catch((error: unknown) => error)).code;

  test("holds up no neighbour: they are made while it still waits", async () => {
    const held = aSignup();
    await using stranger = await aStranger(database.url, holding(held));
    // Far longer than neighbours take on a busy machine; much less than they would take if they waited, too.
    const writer = createSignupWriter(database.db, bindings, { kind: "open" }, { apartLockMs: 10_000 });
    let settled = 0;
    const write = (parts: Partial<NewSignup>) =>
      writer.write(aSignup(parts)).finally(() => {
        settled += 1;
      });
    const waiting = [write({ emailKey: held.emailKey }), write({ userNameKey: held.userNameKey })];
    for (let wave = 0; wave < 3; wave += 1) {
      waiting.push(write({ emailKey: held.emailKey }));
      const neighbours = await Promise.all(Array.from({ length: 24 }, () => writer.write(aSignup())));
      expect(new Set(neighbours.map(kindOf))).toEqual(new Set(["created"]));
    }
    expect(settled).toBe(0);
    await stranger.end("commit");
    const [first, name, ...others] = (await Promise.all(waiting)).map(kindOf);
    expect([first, name, ...new Set(others)]).toEqual(["email_taken", "user_name_taken", "email_taken"]);
  });

  test("refuses it in time, and then it is not made, nor waited for", async () => {
    const held = aSignup();
    await using stranger = await aStranger(database.url, holding(held));
    const writer = createSignupWriter(database.db, bindings);
    const locked = [aSignup({ emailKey: held.emailKey }), aSignup({ userNameKey: held.userNameKey })];
    const refusals = [...locked, aSignup({ emailKey: held.emailKey })].map((signup) => codeOf(writer.write(signup)));
    expect(new Set(await Promise.all(refusals))).toEqual(new Set(["55P03"]));
    await writer.idle();
    expect(await backendsWaiting()).toBe(0);
    await stranger.end("rollback");
    const made = await database.db
      .selectFrom("users")
      .select("id")
      .where(
        "id",
        "in",
        locked.map(({ userId }) => userId),
      )
      .execute();
    expect(made).toEqual([]);
    expect(kindOf(await writer.write(aSignup({ emailKey: held.emailKey })))).toBe("created");
  });

  test("is written when the lock ends in time, and told what it meets", async () => {
    const [committed, undone] = [aSignup(), aSignup()];
    await using first = await aStranger(database.url, holding(committed));
    await using second = await aStranger(database.url, holding(undone));
    const writer = createSignupWriter(database.db, bindings);
    const meets = writer.write(aSignup({ emailKey: committed.emailKey }));
    const passes = writer.write(aSignup({ emailKey: undone.emailKey }));
    await eventually(async () => (await backendsWaiting()) > 0);
    await first.end("commit");
    await second.end("rollback");
    expect((await Promise.all([meets, passes])).map(kindOf)).toEqual(["email_taken", "created"]);
  });

  test("an idempotency key alike: others under keys of their own pass", async () => {
    const writer = createSignupWriter(database.db, bindings);
    const idempotencyKeyHash = randomHex(32);
    await writer.write(aSignup({ idempotencyKeyHash }));
    await using _ = await aStranger(
      database.url,
      `update idempotency_keys set created_at = now() - interval '2 days' where key_hash = decode('${idempotencyKeyHash}', 'hex')`,
    );
    const mine = codeOf(writer.write(aSignup({ idempotencyKeyHash })));
    expect(kindOf(await writer.write(aSignup({ idempotencyKeyHash: randomHex(32) })))).toBe("created");
    expect(await mine).toBe("55P03");
  });

  test("if it is the whole table, all are refused in time, and none is made", async () => {
    const own = await withTestDatabase();
    // With the API's deadline: a statement waits for a table for a share of it, and a test's own has a minute.
    const db = openDatabase({ url: own.url, poolSize: 10, applicationName: "api" });
    const writer = createSignupWriter(db, bindings);
    const stranger = await aStranger(own.url, "lock table users in access exclusive mode");
    const refusals = await Promise.all(Array.from({ length: 104 }, () => codeOf(writer.write(aSignup()))));
    expect(new Set(refusals)).toEqual(new Set(["55P03"]));
    await stranger.end("rollback");
    await writer.idle();
    expect(await own.db.selectFrom("users").select("id").execute()).toEqual([]);
    expect(kindOf(await writer.write(aSignup()))).toBe("created");
    await db.destroy();
    await own.drop();
  });
});
