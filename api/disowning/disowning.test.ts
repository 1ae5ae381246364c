import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import { signConfirmation } from "../../database/users/confirmation-token.ts";
import { disownKeyOf } from "../../database/users/disown-key.ts";
import { eraseUser } from "../../database/users/erase.ts";
import { findUsers } from "../../database/users/find.ts";
import { findRecipients } from "../../database/users/recipients.ts";
import { findSuppressedEvents } from "../../database/users/suppressed-events.ts";
import { liftSuppression, suppressAddress } from "../../database/users/suppressions.ts";
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

const aUser = async (email?: string) => {
  const { app } = anApp(database.db, { settings });
  const body = aBody(email === undefined ? {} : { email });
  const user = await (await app.fetch(postSignup(body))).json();
  const key = await createConfirmationKey(database.db, SECRET)();
  const tokenFor = (expiresInMs: number, signedBy = disownKeyOf(key)) =>
    signConfirmation(signedBy, { userId: user.id, expiresAtMs: Date.now() + expiresInMs });
  const userId = String(user.id);
  return {
    app,
    userId,
    email: body.email,
    eventId: String(user.welcome_email.event_id),
    token: tokenFor(HOUR_MS),
    tokenFor,
    confirmationToken: tokenFor(HOUR_MS, key),
    isSuppressed: async () => (await findRecipients(database.db, [userId])).get(userId)?.isSuppressed,
    asMachine: async () => {
      const headers = { Authorization: `Bearer ${SERVICE_TOKEN}` };
      return (await app.request(`/api/v1/user/${userId}`, { headers })).json();
    },
  };
};

const open = (token: string, lang = "vi", method = "GET") =>
  new Request(`http://127.0.0.1/not-me?token=${encodeURIComponent(token)}&lang=${lang}`, { method });

const press = (token: string, lang = "vi", path = "/not-me", contentType = "application/x-www-form-urlencoded") =>
  new Request(`http://127.0.0.1${path}?lang=${lang}`, {
    method: "POST",
    headers: { "Content-Type": contentType, Origin: "null" },
    body: new URLSearchParams({ token }).toString(),
  });

describe("the link for somebody who did not sign up", () => {
  test("shows a button and changes nothing, however often it is followed", async () => {
    const { app, token, isSuppressed, asMachine } = await aUser();
    for (const method of ["GET", "HEAD", "GET"]) expect((await app.fetch(open(token, "vi", method))).status).toBe(200);
    const html = await (await app.fetch(open(token))).text();
    expect(html).toContain('<form method="post" action="/not-me?lang=vi">');
    expect(html).toContain("Chúng tôi sẽ không gửi thư đến địa chỉ này nữa");
    expect(html).toContain(`href="/not-me?token=${token}&amp;lang=en"`);
    expect(html).not.toContain("<script");
    expect(await isSuppressed()).toBe(false);
    expect(await asMachine()).toMatchObject({ disowned_at: null });
  });

  test("by its button suppresses the address and marks the account; the second time it says so, in both languages", async () => {
    const { app, userId, eventId, token, isSuppressed, asMachine } = await aUser();
    const first = await app.fetch(press(token, "en"));
    expect(first.status).toBe(200);
    expect(await first.text()).toContain("Thank you for telling us");
    expect(await isSuppressed()).toBe(true);
    const marked = await asMachine();
    expect(marked).toMatchObject({ disowned_at: expect.stringMatching(/Z$/) });
    const [found] = await findUsers(database.db, userId, 1);
    expect(found).toMatchObject({ suppressed: "not_me", disownedAt: expect.any(Date) });
    const row = await database.db.selectFrom("suppressions").selectAll().where("event_id", "=", eventId).execute();
    expect(row).toHaveLength(1);

    for (const again of [press(token, "en"), open(token, "en")]) {
      const response = await app.fetch(again);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("You told us before");
    }
    expect(await (await app.fetch(press(token))).text()).toContain("Bạn đã báo trước đó");
    expect(await asMachine()).toEqual(marked);
  });

  test("suppresses again what an operator has lifted", async () => {
    const { app, token, isSuppressed } = await aUser();
    await app.fetch(press(token));
    await database.db.deleteFrom("suppressions").execute();
    await app.fetch(press(token));
    expect(await isSuppressed()).toBe(true);
  });

  test("keeps the suppression when the user is erased, who could sign up again; one for another reason is lifted", async () => {
    const [disowned, other] = [await aUser(), await aUser()];
    await disowned.app.fetch(press(disowned.token));
    expect(await eraseUser(database.db, disowned.userId)).toMatchObject({ userDeleted: true, suppressionsDeleted: 0 });
    const user = await database.db
      .selectFrom("users")
      .selectAll()
      .where("id", "=", other.userId)
      .executeTakeFirstOrThrow();
    const refused = { addressKey: user.email_key, reason: "no_such_address", eventId: other.eventId };
    await suppressAddress(database.db, refused);
    expect(await eraseUser(database.db, other.userId)).toMatchObject({ userDeleted: true, suppressionsDeleted: 1 });
  });

  test("suppresses the mailbox, in every spelling that its provider gives it; lifting one spelling lifts it", async () => {
    const name = `vic${Bun.randomUUIDv7().slice(-12)}`;
    const spellings = [`${name}+1@gmail.com`, `${name.toUpperCase()}@googlemail.com`, `v.${name.slice(1)}@gmail.com`];
    const users = await Promise.all(
      [...spellings, `${name}@gmail.com`, `x${name}@gmail.com`].map((email) => aUser(email)),
    );
    const [first] = users;
    if (first === undefined) throw new Error("nobody signed up");
    await first.app.fetch(press(first.token));
    const suppressed = () => Promise.all(users.map((user) => user.isSuppressed()));
    expect(await suppressed()).toEqual([true, true, true, true, false]);
    const events = users.map(({ eventId }) => eventId);
    expect([...(await findSuppressedEvents(database.db, events))].toSorted()).toEqual(events.slice(0, 4).toSorted());
    for (const { userId } of users.slice(0, 4)) {
      expect(await findUsers(database.db, userId, 1)).toMatchObject([{ suppressed: "not_me" }]);
    }
    expect(await liftSuppression(database.db, spellings[1] ?? "")).toBe(first.eventId);
    expect(await suppressed()).toEqual(Array(5).fill(false));
  });

  test("takes the place of another reason, which an erasure or an operator would lift", async () => {
    const { app, userId, email, eventId, token, isSuppressed } = await aUser();
    await suppressAddress(database.db, { addressKey: email, reason: "no_such_address", eventId });
    await app.fetch(press(token));
    expect(await findUsers(database.db, userId, 1)).toMatchObject([{ suppressed: "not_me" }]);
    // No later report takes its place.
    await suppressAddress(database.db, { addressKey: email, reason: "bounced 5.1.1", eventId });
    expect(await eraseUser(database.db, userId)).toMatchObject({ suppressionsDeleted: 0 });
    expect(await isSuppressed()).toBeUndefined();
    expect(await (await aUser(email)).isSuppressed()).toBe(true);
  });

  test("leaves no way to confirm the address", async () => {
    const { app, token, confirmationToken, asMachine } = await aUser();
    await app.fetch(press(token));
    const link = `http://127.0.0.1/confirm?token=${confirmationToken}&lang=en`;
    for (const answer of [await app.request(link), await app.fetch(press(confirmationToken, "en", "/confirm"))]) {
      expect(answer.status).toBe(410);
    }
    expect(await asMachine()).toMatchObject({ email_verified: false });
  });

  test("pressed ten times at once, acts once", async () => {
    const { app, token } = await aUser();
    const pages = await Promise.all(Array.from({ length: 10 }, async () => (await app.fetch(press(token))).text()));
    expect(pages.filter((text) => text.includes("Cảm ơn bạn đã cho biết"))).toHaveLength(1);
    expect(pages.filter((text) => text.includes("Bạn đã báo trước đó"))).toHaveLength(9);
  });

  test("is not the link to confirm the address, nor the other way round", async () => {
    const { app, token, confirmationToken, isSuppressed } = await aUser();
    expect((await app.fetch(press(confirmationToken))).status).toBe(400);
    expect((await app.fetch(press(token, "vi", "/confirm"))).status).toBe(400);
    expect(await isSuppressed()).toBe(false);
  });

  test("that is too old, or of a user who was erased, is gone; one that is not ours is invalid", async () => {
    const { app, userId, token, tokenFor, isSuppressed } = await aUser();
    for (const request of [open(tokenFor(-1), "en"), press(tokenFor(-1), "en")]) {
      const response = await app.fetch(request);
      expect(response.status).toBe(410);
      expect(await response.text()).toContain("This link no longer works");
    }
    for (const other of ["", "nonsense", `"><script>`, token.replace(/^./, (first) => (first === "A" ? "B" : "A"))]) {
      for (const request of [open(other), press(other)]) {
        const response = await app.fetch(request);
        expect(response.status).toBe(400);
        expect(await response.text()).not.toContain("<script");
      }
    }
    expect(await isSuppressed()).toBe(false);
    await database.db.deleteFrom("users").where("id", "=", userId).execute();
    for (const request of [open(token), press(token)]) expect((await app.fetch(request)).status).toBe(410);
  });

  test("is not cached, is sent to nobody, and shows a failure as a page", async () => {
    const { app, token } = await aUser();
    for (const request of [open(token), press(token), press("nonsense")]) {
      const { headers } = await app.fetch(request);
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    const other = await app.fetch(press(token, "en", "/not-me", "text/plain"));
    expect(other.status).toBe(415);
    expect(await other.text()).toContain("The content type is not supported");
  });
});
