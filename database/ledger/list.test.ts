import { afterAll, beforeAll, expect, test } from "bun:test";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { statement } from "../connection.ts";
import { countReasonsOf, type ListDeliveriesOptions, listDeliveries } from "./list.ts";
import { LISTED_STATES } from "./listed.ts";

let database: TestDatabase;

/** 12 of each state in each of two groups, of three reasons; several with the same time. */
const fill = statement<never, []>(`
  with made as (
    insert into events (event_id, type, subject, data, traceparent)
    select gen_random_uuid(), 'user.signed_up.v1', 'one', '{}', '' from generate_series(1, 12) returning event_id),
  numbered as (select event_id, row_number() over () as number from made)
  insert into deliveries (group_name, event_id, state, reason, updated_at, published_at, next_try_at)
  select groups.name || '-' || states.name, event_id, states.name, 'reason-' || number % 3,
    now() - number / 2 * interval '1 minute', now() - number / 2 * interval '1 minute' + early.by, now() + early.by
  from numbered, (values ('a'), ('b')) as groups (name),
    (values ('dead'), ('retrying'), ('held'), ('uncertain'), ('active'), ('queued'), ('suppressed'), ('cancelled'), ('done')) as states (name),
    lateral (select case when number > 6 and states.name = 'queued' then interval '1 hour' else interval '0' end as by) as early`);

beforeAll(async () => {
  database = await withTestDatabase();
  await fill(database.db);
});
afterAll(() => database.drop());

const groupsOf = (state: string) => ["a", "b"].map((name) => `${name}-${state === "waiting" ? "queued" : state}`);

const pagesOf = async (options: Omit<ListDeliveriesOptions, "limit">) => {
  const pages = [];
  let cursor: string | undefined;
  do {
    const page = await listDeliveries(database.db, { ...options, limit: 5, cursor });
    pages.push(page.deliveries);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return pages.flat();
};

test.each(LISTED_STATES)("pages of what is %s have each delivery once, in order", async (state) => {
  const groups = groupsOf(state);
  const listed = await pagesOf({ groups, state });
  const count = state === "queued" || state === "waiting" ? 12 : 24;
  expect(listed.map((each) => each.state)).toEqual(Array.from({ length: count }, () => state));
  expect(new Set(listed.map(({ eventId, group }) => `${eventId} ${group}`)).size).toBe(count);
  if (state === "dead") {
    const times = listed.map(({ updatedAt }) => updatedAt.getTime());
    expect(times).toEqual(times.toSorted((left, right) => right - left));
  }
  expect((await pagesOf({ groups: groups.slice(0, 1), state })).length).toBe(count / 2);
});

test("a reason and a time narrow the list, and the counts", async () => {
  const groups = groupsOf("dead");
  const since = new Date(Date.now() - 3.5 * 60_000);
  const one = await pagesOf({ groups, state: "dead", reason: "reason-1", since });
  expect(one.map(({ reason }) => reason)).toEqual([
    "reason-1",
    "reason-1",
    "reason-1",
    "reason-1",
    "reason-1",
    "reason-1",
  ]);
  const counts = await countReasonsOf(database.db, { groups, state: "dead", since });
  expect(counts.filter(({ reason }) => reason === "reason-1").map(({ count }) => count)).toEqual([3, 3]);
  expect(counts.length).toBe(6);
  expect(await pagesOf({ groups, state: "dead", reason: "none" })).toEqual([]);
});

test("a cursor that is not ours is as none", async () => {
  const { deliveries } = await listDeliveries(database.db, {
    groups: ["a-dead"],
    state: "dead",
    limit: 5,
    cursor: "x",
  });
  expect(deliveries.length).toBe(5);
});
