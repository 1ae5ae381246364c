import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deleteOldRequests } from "../../database/users/request-confirmation.ts";
import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const ask = (body: unknown) =>
  new Request("http://127.0.0.1/api/v1/user/resend", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

const form = (email: string, headers: Readonly<Record<string, string>> = { Origin: "http://127.0.0.1" }) =>
  new Request("http://127.0.0.1/resend?lang=vi", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams({ email }).toString(),
  });

/** As if this much time had passed since the last requests. */
const later = async (minutes: number) => {
  const rows = await database.db.selectFrom("confirmation_requests").selectAll().execute();
  for (const { address_hash, last_at, day_began_at } of rows) {
    const earlier = (at: Date) => new Date(at.getTime() - minutes * 60_000);
    await database.db
      .updateTable("confirmation_requests")
      .set({ last_at: earlier(last_at), day_began_at: earlier(day_began_at) })
      .where("address_hash", "=", address_hash)
      .execute();
  }
};

const anAppOfTests = () => {
  const { app, committed } = anApp(database.db);
  return { app, requests: () => committed.filter(({ type }) => type === USER_CONFIRMATION_REQUESTED) };
};

describe("asking for another mail", () => {
  test("is answered alike for a user, in any spelling, and for nobody; both leave the same rows", async () => {
    const { app, requests } = anAppOfTests();
    const body = aBody({ locale: "en" });
    const user = await (await app.fetch(postSignup(body))).json();
    const known = await app.fetch(ask({ email: ` ${body.email.replace("user", "USER")} ` }));
    const unknown = await app.fetch(ask({ email: `nobody-${body.email}` }));
    expect([known.status, unknown.status]).toEqual([202, 202]);
    expect(await known.json()).toEqual({ status: "accepted" });
    expect(await unknown.json()).toEqual({ status: "accepted" });
    const [ofUser, ofNobody] = requests();
    expect(ofUser).toMatchObject({ subject: user.id, data: { user_id: user.id, locale: "en" } });
    expect(ofNobody?.subject).not.toBe(user.id);
    for (const event of requests()) {
      const deliveries = await database.db
        .selectFrom("deliveries")
        .innerJoin("outbox", "outbox.event_id", "deliveries.event_id")
        .select("group_name")
        .where("deliveries.event_id", "=", event.event_id)
        .execute();
      expect(deliveries).toEqual([{ group_name: "welcome-email" }]);
    }
    const limits = await database.db.selectFrom("confirmation_requests").selectAll().execute();
    expect(JSON.stringify(limits)).not.toContain("example.com");
  });

  test("has an effect once a minute and five times a day, and is answered alike", async () => {
    const { app, requests } = anAppOfTests();
    const { email } = aBody();
    const statuses = async (count: number) =>
      (await Promise.all(Array.from({ length: count }, () => app.fetch(ask({ email }))))).map(({ status }) => status);
    expect(await statuses(10)).toEqual(Array(10).fill(202));
    expect(requests()).toHaveLength(1);
    for (let times = 2; times <= 7; times += 1) {
      await later(2);
      expect(await statuses(2)).toEqual([202, 202]);
      expect(requests()).toHaveLength(Math.min(times, 5));
    }
    await later(24 * 60);
    await statuses(1);
    expect(requests()).toHaveLength(6);
  });

  test("forgets its limits after a day", async () => {
    const { app } = anAppOfTests();
    await app.fetch(ask({ email: aBody().email }));
    await later(24 * 60 + 1);
    expect(await deleteOldRequests(database.db, 1_000)).toBeGreaterThan(0);
    expect(await database.db.selectFrom("confirmation_requests").selectAll().execute()).toEqual([]);
  });

  test("needs one address; other methods are not allowed", async () => {
    const { app, requests } = anAppOfTests();
    for (const body of [{}, { email: "a, b@example.com" }, { email: 1 }, [], null]) {
      const response = await app.fetch(ask(body));
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ code: "validation_failed" });
    }
    expect((await app.request("/api/v1/user/resend")).status).toBe(405);
    expect(requests()).toEqual([]);
  });
});

describe("the page that asks for another mail", () => {
  test("works without scripts, in both languages, with the same answer for everybody", async () => {
    const { app, requests } = anAppOfTests();
    expect(await (await app.request("/resend?lang=en")).text()).toContain("Send the confirmation email again");
    const response = await app.fetch(form(aBody().email));
    expect(response.status).toBe(202);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const html = await response.text();
    expect(html).toContain("Vui lòng kiểm tra hộp thư");
    expect(html).not.toContain("example.com");
    expect(requests()).toHaveLength(1);
  });

  test("shows what was typed, escaped, beside what is wrong with it; refuses forms of other sites", async () => {
    const { app, requests } = anAppOfTests();
    const response = await app.fetch(form('"><script>'));
    expect(response.status).toBe(422);
    const html = await response.text();
    expect(html).toContain("Vui lòng nhập đúng một địa chỉ email");
    expect(html).not.toContain("<script");
    expect((await app.fetch(form(aBody().email, { Origin: "https://evil.example" }))).status).toBe(403);
    expect(requests()).toEqual([]);
  });
});
