import { afterAll, beforeAll, expect, test } from "bun:test";
import { GROUPS } from "../../stream/groups.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { eventually } from "../../tests/eventually.ts";
import { silentLog } from "../../tests/pipeline.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { createFindEvents } from "./event-status.ts";
import { startLiveStatuses } from "./live-statuses.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

type App = ReturnType<typeof anApp>["app"];

const signUp = async (app: App): Promise<string> =>
  (await (await app.fetch(postSignup(aBody()))).json()).welcome_email.event_id;

const open = (app: App, eventId: string, init: RequestInit = {}) =>
  app.fetch(new Request(`http://127.0.0.1/api/v1/events/${eventId}/stream`, init));

/** The first bytes of a stream; its client goes away then. */
const firstOf = async (response: Response): Promise<string> => {
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  await reader?.cancel();
  return new TextDecoder().decode(value);
};

test("as many streams as there are places, opened all at once; HEAD opens none; places come back", async () => {
  const { app } = anApp(database.db, { streamLimits: { all: 3 } });
  const eventId = await signUp(app);
  for (const response of await Promise.all(Array.from({ length: 9 }, () => open(app, eventId, { method: "HEAD" })))) {
    expect([200, 503]).toContain(response.status);
    expect(await response.text()).toBe("");
  }
  const opened = await Promise.all(Array.from({ length: 9 }, () => open(app, eventId)));
  expect(opened.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 503, 503, 503, 503, 503, 503]);
  expect(opened.find(({ status }) => status === 503)?.headers.get("retry-after")).toMatch(/^\d+$/);
  expect((await open(app, Bun.randomUUIDv7())).status).toBe(503);
  for (const response of opened) if (response.status === 200) await firstOf(response);
  await eventually(async () => (await open(app, Bun.randomUUIDv7())).status === 404);
  expect(await firstOf(await open(app, eventId))).toContain('"state":"queued"');
});

test("one client has its share of the places, and no more", async () => {
  let client = "192.0.2.1";
  const { app } = anApp(database.db, { streamLimits: { perClient: 1 }, clientOf: () => client });
  const eventId = await signUp(app);
  const first = await open(app, eventId);
  expect((await open(app, eventId)).status).toBe(503);
  client = "192.0.2.2";
  const other = await open(app, eventId);
  expect([first.status, other.status]).toEqual([200, 200]);
  await Promise.all([firstOf(first), firstOf(other)]);
});

test("a stream that lives too long ends, and a client that comes back is told only what is new", async () => {
  const { app } = anApp(database.db, { streamLimits: { lifeMs: 1 } });
  const eventId = await signUp(app);
  const text = await (await open(app, eventId)).text();
  expect(text).toContain("retry: 2000");
  const id = /^id: (.+)$/m.exec(text)?.[1] ?? "";
  expect(id).toEndWith("-queued");
  const again = { headers: { "Last-Event-ID": id } };
  expect(await (await open(app, eventId, again)).text()).toBe("");

  const ofEvent = database.db.updateTable("deliveries").where("event_id", "=", eventId);
  await ofEvent.set({ state: "done", updated_at: new Date() }).execute();
  const last = await (await open(app, eventId, again)).text();
  expect(last).toContain('"state":"sent"');
  const seen = { headers: { "Last-Event-ID": /^id: (.+)$/m.exec(last)?.[1] ?? "" } };
  expect((await open(app, eventId, seen)).status).toBe(204);
});

test("however many watch, the ledger is read in one statement", async () => {
  const { app } = anApp(database.db);
  const eventIds = await Promise.all(Array.from({ length: 20 }, () => signUp(app)));
  const hints = new Map<string, () => void>();
  const watcher = {
    watch: (eventId: string, hint: () => void) => {
      hints.set(eventId, hint);
      return () => hints.delete(eventId);
    },
    isConnected: () => true,
    close: () => {},
  };
  const find = createFindEvents(database.db, GROUPS);
  const reads: number[] = [];
  const findEvents = (asked: readonly string[]) => {
    reads.push(asked.length);
    return find(asked);
  };
  await using live = startLiveStatuses({ findEvents, watcher, log: silentLog });
  const told = new Set<string>();
  const ends = eventIds.map((eventId) => live.follow(eventId, ({ delivery }) => told.add(delivery.eventId)));
  await eventually(() => told.size === eventIds.length);
  expect(reads).toEqual([20]);

  for (const hint of hints.values()) hint();
  await eventually(() => reads.length === 2);
  expect(reads).toEqual([20, 20]);
  for (const end of ends) end();
  expect(hints.size).toBe(0);
});
