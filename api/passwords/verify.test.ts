import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { deleteOldAttempts } from "../../database/users/password-attempts.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aStranger } from "../../tests/stranger.ts";
import { aBody, anApp, postSignup, SERVICE_TOKEN, TEST_SETTINGS } from "../app-for-tests.ts";
import { createPasswordHasher } from "./hasher.ts";
import { isOutdated } from "./outdated.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const ask = (email: string, password: string, token = SERVICE_TOKEN, client?: string) =>
  new Request("http://127.0.0.1/api/v1/user/verify", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ email, password, client }),
  });

const hashOf = async (id: string) =>
  (await database.db.selectFrom("users").select("password_hash").where("id", "=", id).executeTakeFirstOrThrow())
    .password_hash;

test("a password is verified for machines; a wrong one and an unknown address are answered alike", async () => {
  const { app } = anApp(database.db);
  const body = aBody();
  const { id } = await (await app.fetch(postSignup(body))).json();
  const right = await app.fetch(ask(body.email.toUpperCase().replace("@EXAMPLE.COM", "@example.com"), body.password));
  expect(right.status).toBe(200);
  expect(right.headers.get("cache-control")).toBe("no-store");
  expect(await right.json()).toEqual({ matches: true, user: { id, email_verified: false } });
  for (const [email, password] of [
    [body.email, "mật khẩu khác hẳn"],
    [`nobody-${body.email}`, body.password],
    [`nobody-${body.email}`, "the password of nobody"],
  ] as const) {
    const wrong = await app.fetch(ask(email, password));
    expect([wrong.status, await wrong.text()]).toEqual([200, '{"matches":false,"user":null}']);
  }
  expect((await app.fetch(ask(body.email, body.password, "wrong"))).status).toBe(401);
  expect((await app.fetch(ask("no address", "short"))).status).toBe(422);
});

/** An app with a user: what the service answers to attempts at the user's password. */
const attacked = async () => {
  const { app } = anApp(database.db);
  const body = aBody();
  await app.fetch(postSignup(body));
  const attempt = async (client: string | undefined, password: string, email = body.email) => {
    const response = await app.fetch(ask(email, password, SERVICE_TOKEN, client));
    const answer: { matches?: boolean } = await response.json();
    return {
      status: response.status,
      retryAfter: Number(response.headers.get("retry-after")),
      matches: answer.matches,
    };
  };
  const guess = (client: string | undefined, email = body.email) => attempt(client, "mật khẩu khác hẳn", email);
  const logIn = (client: string | undefined) => attempt(client, body.password);
  const pass = (interval: string) =>
    sql`update password_attempts set blocked_until = blocked_until - ${interval}::interval,
      expires_at = expires_at - ${interval}::interval`.execute(database.db);
  return { ...body, guess, logIn, pass };
};

test("five attempts of a client are free, also at once; then it waits twice as long each time, the right password included", async () => {
  const { email, guess, logIn, pass } = await attacked();
  for (const address of [email, `nobody-${email}`]) {
    const answers = await Promise.all(Array.from({ length: 15 }, () => guess("192.0.2.1", address)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(5).fill(200), ...Array(10).fill(429)]);
  }
  const waits: number[] = [];
  for (let times = 0; times < 12; times += 1) {
    const { status, retryAfter } = await logIn("192.0.2.1");
    expect(status).toBe(429);
    waits.push(retryAfter);
    await pass(`${retryAfter} seconds`);
    expect(await guess("192.0.2.1")).toMatchObject({ status: 200, matches: false });
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  await pass("2 hours");
  for (let times = 0; times < 5; times += 1) expect(await guess("192.0.2.1")).toMatchObject({ status: 200 });
});

test("nobody is locked out by another client's attempts; a client that was right begins anew", async () => {
  const { guess, logIn } = await attacked();
  for (let times = 0; times < 9; times += 1) await guess("192.0.2.1");
  expect(await guess("192.0.2.1")).toMatchObject({ status: 429 });
  expect(await guess(undefined)).toMatchObject({ status: 200 });
  for (let day = 0; day < 3; day += 1) {
    for (let times = 0; times < 4; times += 1) await guess("198.51.100.7");
    expect(await logIn("198.51.100.7")).toMatchObject({ status: 200, matches: true });
  }
  // An IPv6 client is its /64.
  for (let times = 0; times < 5; times += 1) await guess(`2001:db8::${times}`);
  expect(await guess("2001:db8::9")).toMatchObject({ status: 429 });
});

test("many clients at one address slow each other down, but none that was right before", async () => {
  const { email, guess, logIn, pass } = await attacked();
  await logIn("198.51.100.7");
  const clients = Array.from({ length: 60 }, (_, index) => `192.0.2.${index}`);
  const answers = await Promise.all(clients.map((client) => guess(client)));
  // The first of 50 was the one that was right: nobody knew it then.
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(49);
  for (let times = 0; times < 8; times += 1) {
    await pass("1 minute");
    expect(await guess(`203.0.113.${times}`)).toMatchObject({ status: 200 });
  }
  expect(await logIn("203.0.113.99")).toMatchObject({ status: 429, retryAfter: 60 });
  expect(await logIn("198.51.100.7")).toMatchObject({ status: 200, matches: true });
  const kept = await database.db.selectFrom("password_attempts").selectAll().execute();
  expect(JSON.stringify(kept)).not.toContain(email);
  await pass("31 days");
  expect(await deleteOldAttempts(database.db, 1_000)).toBeGreaterThan(60);
});

test("a caller may name a client of 1 to 128 characters, or none", async () => {
  const { app } = anApp(database.db);
  for (const client of ["", "x".repeat(129)]) {
    const refused = await app.fetch(ask("a@inbox.example", "correct horse battery staple", SERVICE_TOKEN, client));
    expect(await refused.json()).toMatchObject({
      status: 422,
      errors: [{ pointer: "#/client", code: "client_invalid" }],
    });
  }
});

test("a hash of another cost is replaced when its password is presented, and only then", async () => {
  const { app } = anApp(database.db);
  const body = aBody();
  const { id } = await (await app.fetch(postSignup(body))).json();
  const old = await hashOf(id);
  const dearer = anApp(database.db, {
    settings: { ...TEST_SETTINGS, PASSWORD_HASH_PASSES: 2 },
    hasher: createPasswordHasher({ concurrency: 1, memoryKib: 8, passes: 2 }),
  }).app;
  await dearer.fetch(ask(body.email, "mật khẩu khác hẳn"));
  expect(await hashOf(id)).toBe(old);
  expect(await (await dearer.fetch(ask(body.email, body.password))).json()).toMatchObject({ matches: true });
  const replaced = await hashOf(id);
  expect(replaced).toContain("m=8,t=2,");
  expect(await (await dearer.fetch(ask(body.email, body.password))).json()).toMatchObject({ matches: true });
  expect(await hashOf(id)).toBe(replaced);
});

test("a hash is not replaced while passwords wait, nor waited for when its row is locked; the answer is the same", async () => {
  const { app } = anApp(database.db);
  const body = aBody();
  const { id } = await (await app.fetch(postSignup(body))).json();
  const old = await hashOf(id);
  const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8, passes: 2 });
  const settings = { ...TEST_SETTINGS, PASSWORD_HASH_PASSES: 2 };
  const busy = anApp(database.db, { settings, hasher: { ...hasher, waiting: () => 1 } }).app;
  expect(await (await busy.fetch(ask(body.email, body.password))).json()).toMatchObject({ matches: true });
  expect(await hashOf(id)).toBe(old);

  await using locked = await aStranger(database.url, `select 1 from users where id = '${id}' for update`);
  const free = anApp(database.db, { settings, hasher }).app;
  expect(await (await free.fetch(ask(body.email, body.password))).json()).toMatchObject({ matches: true });
  await locked.end("rollback");
  expect(await hashOf(id)).toBe(old);
});

test("nobody logs in to an account that the owner of its address has disowned", async () => {
  const { app } = anApp(database.db);
  const body = aBody();
  const { id } = await (await app.fetch(postSignup(body))).json();
  await database.db.updateTable("users").set({ disowned_at: new Date() }).where("id", "=", id).execute();
  expect(await (await app.fetch(ask(body.email, body.password))).json()).toEqual({ matches: false, user: null });
});

test.each([
  ["$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", false],
  ["$argon2id$v=19$m=8,t=2,p=1$c2FsdA$aGFzaA", true],
  ["$argon2id$v=19$m=19456,t=1,p=1$c2FsdA$aGFzaA", true],
  ["$2b$10$abcdefghijklmnopqrstuv", true],
  ["", true],
])("the hash %p is outdated: %p", (hash, outdated) => {
  expect(isOutdated(hash, { PASSWORD_HASH_MEMORY_KIB: 19_456, PASSWORD_HASH_PASSES: 2 })).toBe(outdated);
});
