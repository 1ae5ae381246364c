import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { sql } from "kysely";
import { comparisonKey } from "../../database/comparison-key.ts";
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
  const addressHash = createHash("sha256").update(comparisonKey(body.email)).digest();
  const hashOfClient = (client: string) => createHash("sha256").update(client).digest();
  /** For how long a client has to wait since its last attempt, in s. */
  const waitOf = async (client: string) => {
    const { rows } = await sql<{ wait: number }>`
      select greatest(0, extract(epoch from blocked_until - (expires_at - interval '2 hours')))::float8 as wait
      from password_attempts where address_hash = ${addressHash} and client_hash = ${hashOfClient(client)}`.execute(
      database.db,
    );
    return rows[0]?.wait;
  };
  /** Five wrong ones, and a wait that is over only when the test is. */
  const guessTooOften = async (client: string, clients: readonly string[] = Array(5).fill(client)) => {
    for (const each of clients) expect(await guess(each)).toMatchObject({ status: 200 });
    await sql`update password_attempts set blocked_until = blocked_until + interval '1 hour'
      where address_hash = ${addressHash} and client_hash = ${hashOfClient(client)} and attempts = 5`.execute(
      database.db,
    );
  };
  return { ...body, guess, guessTooOften, logIn, pass, waitOf };
};

test("five attempts of a client are free, also at once; then it waits twice as long each time, the right password included", async () => {
  const { email, guess, logIn, pass, waitOf } = await attacked();
  for (const address of [email, `nobody-${email}`]) {
    const answers = await Promise.all(Array.from({ length: 15 }, () => guess("192.0.2.1", address)));
    // A machine that takes seconds for them has waited.
    expect(answers.filter(({ status }) => status === 200).length).toBeWithin(5, 9);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
  }
  await pass("2 hours");
  const waits: (number | undefined)[] = [];
  for (let times = 0; times < 16; times += 1) {
    expect(await guess("192.0.2.1")).toMatchObject({ status: 200, matches: false });
    const wait = await waitOf("192.0.2.1");
    waits.push(wait);
    await pass(`${wait} seconds`);
  }
  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  await guess("192.0.2.1");
  const refused = await logIn("192.0.2.1");
  expect(refused.status).toBe(429);
  expect(refused.retryAfter).toBeWithin(800, 901);
  await pass("2 hours");
  for (let times = 0; times < 5; times += 1) expect(await guess("192.0.2.1")).toMatchObject({ status: 200 });
});

test("nobody is locked out by another client's attempts; a client that was right begins anew", async () => {
  const { guess, guessTooOften, logIn } = await attacked();
  await guessTooOften("192.0.2.1");
  expect(await guess("192.0.2.1")).toMatchObject({ status: 429 });
  expect(await guess(undefined)).toMatchObject({ status: 200 });
  for (let day = 0; day < 3; day += 1) {
    for (let times = 0; times < 4; times += 1) await guess("198.51.100.7");
    expect(await logIn("198.51.100.7")).toMatchObject({ status: 200, matches: true });
  }
  // An IPv6 client is its /64.
  await guessTooOften("2001:db8::/64", ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4", "2001:db8::5"]);
  expect(await guess("2001:db8::9")).toMatchObject({ status: 429 });
});

test("many clients at one address slow each other down, but none that was right before", async () => {
  const { email, guess, logIn, pass } = await attacked();
  await logIn("198.51.100.7");
  const clients = Array.from({ length: 60 }, (_, index) => `192.0.2.${index}`);
  const answers = await Promise.all(clients.map((client) => guess(client)));
  // The first of 50 was the one that was right: nobody knew it then.
  expect(answers.filter(({ status }) => status === 200).length).toBeWithin(49, 54);
  for (let times = 0; times < 8; times += 1) {
    await pass("1 minute");
    expect(await guess(`203.0.113.${times}`)).toMatchObject({ status: 200 });
  }
  const stranger = await logIn("203.0.113.99");
  expect(stranger.status).toBe(429);
  expect(stranger.retryAfter).toBeWithin(30, 61);
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
