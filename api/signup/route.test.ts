import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { boundGroups, GROUPS } from "../../stream/groups.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const aKey = () => randomHex(16);

test("201: exactly the promised members, committed, and passed on to be published", async () => {
  const { app, committed } = anApp(database.db);
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const body = aBody({ user_name: " Đặng <b>Hoa</b> ", email: "Hoa@BÜCHER.example", locale: "en" });
  const response = await app.fetch(postSignup(body, { traceparent, tracestate: "vendor=1" }));

  expect(response.status).toBe(201);
  expect(response.headers.get("content-type")).toBe("application/json");
  const answer = await response.json();
  const { id, created_at: createdAt } = answer;
  const { event_id: eventId } = answer.welcome_email;
  expect(answer).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    user_name: "Đặng <b>Hoa</b>",
    email: "Hoa@xn--bcher-kva.example",
    locale: "en",
    created_at: new Date(createdAt).toISOString(),
    email_verified: false,
    welcome_email: { event_id: eventId, status: "queued", href: `/api/v1/events/${eventId}` },
  });
  expect(response.headers.get("location")).toBe(answer.welcome_email.href);
  const signedUp = { type: "user.signed_up.v1", subject: id, data: { user_id: id, locale: "en" } };
  const logged = { event_id: eventId, ...signedUp, traceparent, tracestate: "vendor=1" };
  expect(committed).toEqual([{ ...logged, created_at: new Date(createdAt) }]);

  const user = await database.db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  expect(user).toMatchObject({ user_name: "Đặng <b>Hoa</b>", user_name_key: "đặng <b>hoa</b>" });
  expect(await Bun.password.verify(body.password, user.password_hash)).toBe(true);
  const event = await database.db.selectFrom("events").selectAll().where("event_id", "=", eventId).executeTakeFirst();
  expect(event).toMatchObject(logged);
  const deliveries = await database.db.selectFrom("deliveries").selectAll().where("event_id", "=", eventId).execute();
  const bound = boundGroups(GROUPS, [signedUp.type]).map(({ group_name }) => group_name);
  expect(deliveries.map(({ group_name }) => group_name).sort()).toEqual(bound.sort());
  expect(deliveries).toContainEqual(expect.objectContaining({ group_name: "welcome-email", state: "queued" }));
  const waiting = await database.db.selectFrom("outbox").selectAll().where("event_id", "=", eventId).execute();
  expect(waiting).toHaveLength(1);
});

test("without the last slash, with a charset, as application/*+json, without a trace: the same answer", async () => {
  const { app, committed } = anApp(database.db);
  for (const type of [
    "application/json; charset=UTF-8",
    "application/vnd.signup+json",
    'application/json;charset="utf-8"',
  ]) {
    const request = new Request("http://127.0.0.1/api/v1/user", {
      method: "POST",
      headers: { "Content-Type": type, traceparent: "nonsense" },
      body: JSON.stringify(aBody()),
    });
    expect((await app.fetch(request)).status).toBe(201);
  }
  expect(committed.map((signup) => signup.traceparent)).toEqual(
    Array.from({ length: 3 }, () => expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)),
  );
});

test("taken is 400 with the wording of the old endpoint, regardless of case and Unicode composition", async () => {
  const { app } = anApp(database.db);
  const tag = randomHex(4);
  const first = aBody({ user_name: `ĐẶNG ${tag}`, email: `Dang.${tag}@example.com` });
  expect((await app.fetch(postSignup(first))).status).toBe(201);

  const sameName = await app.fetch(postSignup(aBody({ user_name: `đặng ${tag}`.normalize("NFD") })));
  expect(sameName.status).toBe(400);
  expect(sameName.headers.get("content-type")).toBe("application/problem+json");
  expect(await sameName.json()).toEqual({
    type: "/problems/user_name_taken",
    title: "User name already exists",
    status: 400,
    detail: "Tên người dùng đã tồn tại.",
    code: "user_name_taken",
  });
  const sameEmail = await app.fetch(postSignup(aBody({ email: `dANG.${tag}@EXAMPLE.com` })));
  expect(await sameEmail.json()).toMatchObject({ code: "email_taken", detail: "Email đã được đăng ký.", status: 400 });
  const inEnglish = await app.fetch(postSignup(first, { "Accept-Language": "en-GB,en;q=0.8,vi;q=0.5" }));
  expect(inEnglish.headers.get("content-language")).toBe("en");
  expect(await inEnglish.json()).toMatchObject({ code: "email_taken", detail: "This email is already registered." });
});

test("the same key and body: the same answer and one user; another body: 422", async () => {
  const { app, committed } = anApp(database.db);
  const key = aKey();
  const body = aBody();
  const first = await app.fetch(postSignup(body, { "Idempotency-Key": key }));
  expect(first.status).toBe(201);
  expect(first.headers.get("idempotent-replayed")).toBeNull();

  const again = await app.fetch(postSignup({ ...body, locale: "vi" }, { "Idempotency-Key": key }));
  expect(again.status).toBe(201);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect(await again.text()).toBe(await first.text());
  expect(committed).toHaveLength(1);

  for (const other of [
    { user_name: "x" },
    { email: "x@example.com" },
    { locale: "en" },
    { password: "mật khẩu khác hẳn" },
  ]) {
    const reused = await app.fetch(postSignup({ ...body, ...other }, { "Idempotency-Key": key }));
    expect(reused.status).toBe(422);
    expect(await reused.json()).toMatchObject({ code: "idempotency_key_reused" });
  }
});

test("50 requests with one key at once, over two processes: one user, 50 equal answers", async () => {
  const [one, two] = [anApp(database.db), anApp(database.db)];
  const key = aKey();
  const body = aBody();
  const responses = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? one : two).app.fetch(postSignup(body, { "Idempotency-Key": key })),
    ),
  );
  expect(responses.map((response) => response.status)).toEqual(Array.from({ length: 50 }, () => 201));
  expect(new Set(await Promise.all(responses.map((response) => response.text()))).size).toBe(1);
  expect(responses.filter((response) => response.headers.get("idempotent-replayed") === null)).toHaveLength(1);
  expect([...one.committed, ...two.committed]).toHaveLength(1);
  const users = await database.db.selectFrom("users").select("id").where("email", "=", body.email).execute();
  expect(users).toHaveLength(1);
});

test("different bodies under one key at once: one succeeds, the others are 422", async () => {
  const { app } = anApp(database.db);
  const key = aKey();
  const responses = await Promise.all(
    Array.from({ length: 8 }, () => app.fetch(postSignup(aBody(), { "Idempotency-Key": key }))),
  );
  expect(responses.map((response) => response.status).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 422)]);
});

test("a key whose signup failed, or that is older than a day, is free again", async () => {
  const { app } = anApp(database.db);
  const taken = aBody();
  await app.fetch(postSignup(taken));
  const key = aKey();
  const refused = await app.fetch(postSignup(taken, { "Idempotency-Key": key }));
  expect(await refused.json()).toMatchObject({ code: "email_taken" });
  expect((await app.fetch(postSignup(aBody(), { "Idempotency-Key": key }))).status).toBe(201);

  await database.db
    .updateTable("idempotency_keys")
    .set({ created_at: new Date(Date.now() - 24 * 3_600_000) })
    .execute();
  const nextDay = await app.fetch(postSignup(aBody(), { "Idempotency-Key": key }));
  expect(nextDay.status).toBe(201);
  expect(nextDay.headers.get("idempotent-replayed")).toBeNull();
});

test.each(["", "with space", "đặng", "x".repeat(256)])("the Idempotency-Key %p is 400", async (key) => {
  const { app } = anApp(database.db);
  const request = postSignup(aBody());
  // A header beyond Latin-1 cannot even be sent; its UTF-8 bytes arrive as Latin-1.
  request.headers.set("Idempotency-Key", Buffer.from(key).toString("latin1"));
  const response = await app.fetch(request);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "invalid_idempotency_key" });
});

test("the answer waits until the event was sent", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  const afterCommit = () => {
    called.resolve();
    return promise;
  };
  const { app } = anApp(database.db, { afterCommit });
  let isAnswered = false;
  const response = Promise.resolve(app.fetch(postSignup(aBody()))).then((answer) => {
    isAnswered = true;
    return answer;
  });
  await called.promise;
  await Bun.sleep(0);
  expect(isAnswered).toBe(false);
  resolve();
  expect((await response).status).toBe(201);
});
