import { afterAll, beforeAll, expect, test } from "bun:test";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup, SERVICE_TOKEN, TEST_SETTINGS } from "../app-for-tests.ts";
import { createPasswordHasher } from "./hasher.ts";
import { isOutdated } from "./outdated.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const ask = (email: string, password: string, token = SERVICE_TOKEN) =>
  new Request("http://127.0.0.1/api/v1/user/verify", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ email, password }),
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

test("ten attempts for an address, known or not, also at once; one that succeeds begins anew", async () => {
  const { app } = anApp(database.db);
  const body = aBody();
  await app.fetch(postSignup(body));
  const wrong = (email: string) => app.fetch(ask(email, "mật khẩu khác hẳn"));
  for (let times = 0; times < 9; times += 1) await wrong(body.email);
  expect((await app.fetch(ask(body.email, body.password))).status).toBe(200);
  for (const email of [body.email, `nobody-${body.email}`]) {
    const answers = await Promise.all(Array.from({ length: 15 }, () => wrong(email)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(10).fill(200), ...Array(5).fill(429)]);
    const refused = await app.fetch(ask(email, body.password));
    expect(await refused.json()).toMatchObject({ code: "too_many_attempts" });
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(800, 901);
  }
  await database.db
    .updateTable("password_attempts")
    .set({ began_at: new Date(Date.now() - 16 * 60_000) })
    .execute();
  expect(await (await app.fetch(ask(body.email, body.password))).json()).toMatchObject({ matches: true });
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

test.each([
  ["$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", false],
  ["$argon2id$v=19$m=8,t=2,p=1$c2FsdA$aGFzaA", true],
  ["$argon2id$v=19$m=19456,t=1,p=1$c2FsdA$aGFzaA", true],
  ["$2b$10$abcdefghijklmnopqrstuv", true],
  ["", true],
])("the hash %p is outdated: %p", (hash, outdated) => {
  expect(isOutdated(hash, { PASSWORD_HASH_MEMORY_KIB: 19_456, PASSWORD_HASH_PASSES: 2 })).toBe(outdated);
});
