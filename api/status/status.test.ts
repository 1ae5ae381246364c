import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { VERSION } from "../../observability/version.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup, SERVICE_TOKEN, TEST_SETTINGS } from "../app-for-tests.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  new Request(`http://127.0.0.1${path}`, { headers });

test("an event shows its state, and whether it is final", async () => {
  const { app } = anApp(database.db);
  const { welcome_email: mail } = await (await app.fetch(postSignup(aBody()))).json();
  const response = await app.fetch(get(mail.href));
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const status = await response.json();
  expect(status).toEqual({
    event_id: mail.event_id,
    state: "queued",
    status: "queued",
    summary: "on_its_way",
    detail: "Đang trên đường đến bạn.",
    final: false,
    attempts: 0,
    uncertain: 0,
    next_try_at: null,
    created_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    updated_at: expect.stringMatching(/Z$/),
    timeline: [{ at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/), state: "queued" }],
  });

  await database.db
    .updateTable("deliveries")
    .set({ state: "retrying", next_try_at: new Date(0) })
    .where("event_id", "=", mail.event_id)
    .execute();
  const path = mail.href.toUpperCase().replace("/API/V1/EVENTS/", "/api/v1/events/");
  expect(await (await app.fetch(get(path, { "Accept-Language": "en" }))).json()).toMatchObject({
    state: "retrying",
    summary: "on_its_way",
    detail: "On its way.",
    next_try_at: "1970-01-01T00:00:00.000Z",
  });
});

test("the public is shown states and times, holders of the service token reasons and names, too", async () => {
  const { app } = anApp(database.db);
  const { welcome_email: mail } = await (await app.fetch(postSignup(aBody()))).json();
  const step = { at: new Date(0).toISOString(), by: "consumer-7.internal", reason: "address_suppressed", attempt: 1 };
  await database.db
    .updateTable("deliveries")
    .set({ state: "suppressed", reason: "address_suppressed", reply: "550 5.1.1 unknown at mx.internal" })
    .set({ timeline: sql`${JSON.stringify([{ ...step, state: "suppressed" }])}::text::jsonb` })
    .where("event_id", "=", mail.event_id)
    .execute();
  const operator = { Authorization: `Bearer ${SERVICE_TOKEN}` };
  for (const path of [mail.href, `${mail.href}/stream`, `/signups/${mail.event_id}`]) {
    const text = await (await app.fetch(get(path))).text();
    expect(text).not.toMatch(/suppressed|internal|5\.1\.1|attempt"/);
    if (path.startsWith("/signups")) continue;
    expect(text).toContain(`"state":"dead","status":"dead","summary":"not_delivered"`);
    expect(text).toContain(`"timeline":[{"at":"${step.at}","state":"dead"}]`);
    expect((await app.fetch(get(path, { Authorization: "Bearer wrong" }))).status).toBe(401);
    // A proxy's own scheme is none of ours.
    expect((await app.fetch(get(path, { Authorization: "Basic d3Jvbmc6" }))).status).toBe(200);
    const all = await (await app.fetch(get(path, operator))).text();
    expect(all).toContain('"state":"suppressed"');
    expect(all).toContain('"reason":"address_suppressed"');
    expect(all).toContain('"by":"consumer-7.internal"');
  }
});

test.each([Bun.randomUUIDv7(), "not-a-uuid", "%00", "'; drop table users; --"])("the event %p is 404", async (id) => {
  const { app } = anApp(database.db);
  const response = await app.fetch(get(`/api/v1/events/${id}`));
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: "event_not_found" });
});

test("the backlog requires the service token", async () => {
  const { app } = anApp(database.db);
  const path = "/api/v1/backlog/welcome-email";
  for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: `Basic ${SERVICE_TOKEN}` }]) {
    const refused = await app.fetch(get(path, headers));
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toStartWith('Bearer realm="signup-stream"');
    expect(await refused.json()).toMatchObject({ code: "unauthorized" });
  }
  const allowed = { Authorization: `bearer ${SERVICE_TOKEN}` };
  expect(await (await app.fetch(get(path, allowed))).json()).toEqual({
    unfinished: 7,
    waiting: 2,
    waits_until: "1970-01-01T00:00:00.000Z",
  });
  expect((await app.fetch(get("/api/v1/backlog/nobody", allowed))).status).toBe(404);

  const { SERVICE_TOKEN: _, ...settings } = TEST_SETTINGS;
  const withoutToken = anApp(database.db, { settings }).app;
  expect((await withoutToken.fetch(get(path, allowed))).status).toBe(401);
  expect((await withoutToken.fetch(get(path, { Authorization: "Bearer undefined" }))).status).toBe(401);
});

test("health answers 200 or 503, with the result of each check", async () => {
  const { app } = anApp(database.db);
  expect(await (await app.fetch(get("/livez"))).json()).toEqual({
    live: true,
    version: VERSION,
    loops: { relay: true },
    faults: {},
  });
  expect(await (await app.fetch(get("/readyz"))).json()).toEqual({
    ready: true,
    why: "All is well",
    checks: { database: "ok" },
  });
  const ill = anApp(database.db, {
    liveness: () => ({ live: false, loops: { relay: false }, faults: {} }),
    readiness: async () => ({ ready: false, why: "PostgreSQL is away", checks: { database: "away" } }),
  }).app;
  const [livez, readyz] = [await ill.fetch(get("/livez")), await ill.fetch(get("/readyz"))];
  expect([livez.status, readyz.status]).toEqual([503, 503]);
  expect(await readyz.json()).toEqual({ ready: false, why: "PostgreSQL is away", checks: { database: "away" } });
});
