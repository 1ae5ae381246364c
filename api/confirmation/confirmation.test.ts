import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import { signConfirmation } from "../../database/users/confirmation-token.ts";
import { USER_EMAIL_VERIFIED } from "../../stream/events/user-email-verified.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup, SERVICE_TOKEN, TEST_SETTINGS } from "../app-for-tests.ts";

const SECRET = "a-secret-of-the-tests-0123456789";
const settings = { ...TEST_SETTINGS, CONFIRMATION_SECRET: SECRET };
const HOUR_MS = 3_600_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const aUser = async (body: unknown = aBody()) => {
  const { app, committed } = anApp(database.db, { settings });
  const user = await (await app.fetch(postSignup(body))).json();
  const key = await createConfirmationKey(database.db, SECRET)();
  const tokenFor = (expiresInMs: number) =>
    signConfirmation(key, { userId: user.id, expiresAtMs: Date.now() + expiresInMs });
  const published = () => committed.filter(({ type }) => type === USER_EMAIL_VERIFIED);
  return { app, userId: String(user.id), token: tokenFor(HOUR_MS), tokenFor, published };
};

const open = (token: string, lang = "vi") =>
  new Request(`http://127.0.0.1/confirm?token=${encodeURIComponent(token)}&lang=${lang}`);

const press = (token: string, lang = "vi", headers: Readonly<Record<string, string>> = { Origin: "null" }) =>
  new Request(`http://127.0.0.1/confirm?lang=${lang}`, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams({ token }).toString(),
  });

const isVerified = async (userId: string) =>
  (await database.db.selectFrom("users").select("email_verified_at").where("id", "=", userId).executeTakeFirstOrThrow())
    .email_verified_at !== null;

describe("the link in a mail", () => {
  test("shows a button and confirms nothing, however often it is followed", async () => {
    const { app, userId, token, published } = await aUser();
    for (const method of ["GET", "HEAD", "GET"]) {
      expect((await app.fetch(new Request(open(token), { method }))).status).toBe(200);
    }
    const html = await (await app.fetch(open(token))).text();
    expect(html).toContain('<form method="post" action="/confirm?lang=vi">');
    expect(html).toContain("Bấm nút bên dưới để xác nhận đây là địa chỉ email của bạn.");
    expect(html).not.toContain("<script");
    expect(await isVerified(userId)).toBe(false);
    expect(published()).toEqual([]);
  });

  test("confirms by its button, once; the second time it says so, in both languages", async () => {
    const { app, userId, token, published } = await aUser();
    const first = await app.fetch(press(token));
    expect(first.status).toBe(200);
    expect(await first.text()).toContain("Địa chỉ email của bạn đã được xác nhận.");
    expect(await isVerified(userId)).toBe(true);
    expect(published()).toMatchObject([{ subject: userId, data: { user_id: userId } }]);

    for (const again of [press(token, "en"), open(token, "en")]) {
      const response = await app.fetch(again);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("This email address was confirmed before.");
    }
    expect(await (await app.fetch(press(token))).text()).toContain("Email đã được xác nhận trước đó");
    expect(published()).toHaveLength(1);
  });

  test("is not cached, is sent to nobody, and keeps the policy of every page", async () => {
    const { app, token } = await aUser();
    for (const request of [open(token), press(token), press("nonsense")]) {
      const { headers } = await app.fetch(request);
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    }
  });

  test("changes its language and keeps its token", async () => {
    const { app, token } = await aUser();
    const html = await (await app.fetch(open(token, "en"))).text();
    expect(html).toContain('<html lang="en">');
    expect(html).toContain(`href="/confirm?token=${token}&amp;lang=vi"`);
  });

  test("that is too old is gone; one that is not ours, or of another secret, is invalid", async () => {
    const { app, userId, tokenFor } = await aUser();
    const old = tokenFor(-1);
    for (const request of [open(old, "en"), press(old, "en")]) {
      const response = await app.fetch(request);
      expect(response.status).toBe(410);
      expect(await response.text()).toContain("This link no longer works");
    }
    const foreignKey = await createConfirmationKey(database.db, undefined)();
    const foreign = signConfirmation(foreignKey, { userId, expiresAtMs: Date.now() + HOUR_MS });
    for (const token of ["", "nonsense", `"><script>`, foreign]) {
      expect((await app.fetch(open(token))).status).toBe(400);
      const response = await app.fetch(press(token));
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain("<script");
    }
    expect(await isVerified(userId)).toBe(false);
  });

  test("of a user who was erased is gone", async () => {
    const { app, userId, token } = await aUser();
    await database.db.deleteFrom("users").where("id", "=", userId).execute();
    expect((await app.fetch(open(token))).status).toBe(410);
    expect((await app.fetch(press(token))).status).toBe(410);
  });

  test("shows a failure as a page", async () => {
    const { app, token } = await aUser();
    const other = await app.fetch(press(token, "en", { "Content-Type": "text/plain" }));
    expect(other.status).toBe(415);
    expect(await other.text()).toContain("The content type is not supported");
  });
});

test("machines see whether an address is confirmed", async () => {
  const body = aBody();
  const { app, userId, token } = await aUser(body);
  const get = (path: string) =>
    app.fetch(new Request(`http://127.0.0.1${path}`, { headers: { Authorization: `Bearer ${SERVICE_TOKEN}` } }));
  expect(await (await get(`/api/v1/user/${userId}`)).json()).toMatchObject({
    id: userId,
    email_verified: false,
    email_verified_at: null,
  });
  await app.fetch(press(token));
  const later = await (await get(`/api/v1/user/${userId}`)).json();
  expect(later).toMatchObject({ email_verified: true, email_verified_at: expect.stringMatching(/Z$/) });
  for (const id of [Bun.randomUUIDv7(), "nonsense"]) {
    const missing = await get(`/api/v1/user/${id}`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: "user_not_found" });
  }
  expect((await app.request(`/api/v1/user/${userId}`)).status).toBe(401);
});

test("a signup says that its address is not confirmed; repeated after the confirmation, that it is", async () => {
  const body = aBody();
  const { app } = anApp(database.db, { settings });
  const signUp = async () => (await app.fetch(postSignup(body, { "Idempotency-Key": body.user_name }))).json();
  const first = await signUp();
  expect(first).toMatchObject({ email_verified: false });
  const key = await createConfirmationKey(database.db, SECRET)();
  await app.fetch(press(signConfirmation(key, { userId: first.id, expiresAtMs: Date.now() + HOUR_MS })));
  expect(await signUp()).toMatchObject({ id: first.id, email_verified: true });
});
