import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { readRetention } from "../../database/ledger/retention-record.ts";
import type { DeliveryState } from "../../database/ledger/states.ts";
import { findDeliveries } from "../../database/ledger/status.ts";
import { REMINDER_EMAIL, WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { loseEntries } from "../../tests/lost-entries.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { startLedgerPruner } from "./ledger-pruner.ts";

const DAY_MS = 24 * 3_600_000;
const RETENTION_MS = 30 * DAY_MS;

const prunerOf = ({ db, redis, keys }: Pipeline) =>
  startLedgerPruner(
    { db, redis, keys, groups: [WELCOME_EMAIL, REMINDER_EMAIL], log: silentLog },
    // Batches that are smaller than what stays.
    { retentionMs: RETENTION_MS, everyMs: 20, batch: 2 },
  );

/** A signup of `days` ago, and what became of it then, or `changed` days ago. */
const anOldSignup = async (
  pipeline: Pipeline,
  state: DeliveryState,
  { days = 31, changed = days }: { readonly days?: number; readonly changed?: number } = {},
): Promise<string> => {
  const [eventId = ""] = await pipeline.signUp(aSignup());
  // In one statement: a pruner that saw a part of it would pass the event over for a day.
  await sql`with published as (delete from outbox where event_id = ${eventId}),
    told as (update deliveries set state = ${state}, created_at = now() - make_interval(days => ${days}),
      updated_at = now() - make_interval(days => ${changed}) where event_id = ${eventId})
    update events set created_at = now() - make_interval(days => ${days}) where event_id = ${eventId}`.execute(
    pipeline.db,
  );
  return eventId;
};

const eventsOf = async ({ db }: Pipeline): Promise<readonly string[]> =>
  (await db.selectFrom("events").select("event_id").execute()).map((row) => row.event_id).sort();

describe("the ledger pruner", () => {
  test("deletes what has ended well or was called off for long enough, and nothing else", async () => {
    await using pipeline = await aPipeline();
    const { db } = pipeline;
    const gone = [
      await anOldSignup(pipeline, "done"),
      await anOldSignup(pipeline, "suppressed"),
      await anOldSignup(pipeline, "cancelled"),
    ];
    const stay = [
      ...(await Promise.all(
        (["queued", "active", "retrying", "uncertain", "held", "dead"] as const).map((state) =>
          anOldSignup(pipeline, state),
        ),
      )),
      await anOldSignup(pipeline, "done", { days: 29 }),
      // Delivered again yesterday.
      await anOldSignup(pipeline, "done", { changed: 1 }),
    ];
    const halfDone = await anOldSignup(pipeline, "done");
    await db.insertInto("deliveries").values({ group_name: REMINDER_EMAIL.name, event_id: halfDone }).execute();
    await loseEntries(pipeline);
    const unpublished = await anOldSignup(pipeline, "done");
    await db
      .insertInto("outbox")
      .values({ event_id: unpublished })
      .onConflict((row) => row.doNothing())
      .execute();
    const last = await anOldSignup(pipeline, "done");

    await using _one = prunerOf(pipeline);
    await using _two = prunerOf(pipeline);
    await eventually(async () => !(await eventsOf(pipeline)).includes(last));
    await eventually(async () => (await eventsOf(pipeline)).length === stay.length + 2);
    expect(await eventsOf(pipeline)).toEqual([...stay, halfDone, unpublished].sort());
    for (const eventId of [...gone, last]) expect(await findDeliveries(db, eventId)).toEqual([]);
    expect(await findDeliveries(db, halfDone)).toHaveLength(2);
    const { users } = await db
      .selectFrom("users")
      .select((each) => each.fn.countAll<string>().as("users"))
      .executeTakeFirstOrThrow();
    expect(Number(users)).toBe(stay.length + gone.length + 3);
    // Of the last look that deleted something; the looks that found nothing since leave it.
    await eventually(async () => (await readRetention(db)).removed !== null);
    const { removed, ...known } = await readRetention(db);
    expect(known).toMatchObject({
      retentionMs: RETENTION_MS,
      lookedAt: expect.any(Date),
      oldestEventAt: expect.any(Date),
    });
    expect(removed?.events).toBeGreaterThanOrEqual(1);
  });

  test("keeps what Redis may still have an entry of, and what somebody has locked", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys, db } = pipeline;
    await redis.xadd(keys.events, `${Date.now() - 40 * DAY_MS}-0`, "id", "of a group that reads nothing");
    const eventId = await anOldSignup(pipeline, "done", { days: 35 });
    await loseEntries(pipeline);
    const older = await anOldSignup(pipeline, "done", { days: 41 });
    await loseEntries(pipeline);
    await using _pruner = prunerOf(pipeline);
    await eventually(async () => !(await eventsOf(pipeline)).includes(older));
    expect(await eventsOf(pipeline)).toEqual([eventId]);

    await db.transaction().execute(async (other) => {
      await sql`select 1 from deliveries where event_id = ${eventId} for update`.execute(other);
      await redis.xtrim(keys.events, "MAXLEN", 0);
      const next = await anOldSignup(pipeline, "done", { days: 36 });
      await eventually(async () => !(await eventsOf(pipeline)).includes(next));
      expect(await eventsOf(pipeline)).toEqual([eventId]);
    });
  });
});
