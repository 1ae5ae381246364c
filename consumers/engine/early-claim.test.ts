import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, aSignup, type MailWork, type Pipeline } from "../../tests/pipeline.ts";
import { aStranger } from "../../tests/stranger.ts";

/** Commits of claims wait for as long as somebody else has this lock: as for a disk, or a standby. */
const COMMIT_LOCK = "select pg_advisory_xact_lock(7)";

const slowCommits = async ({ db }: Pipeline): Promise<void> => {
  await sql`create function wait_at_commit() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock(7); return null; end'`.execute(db);
  await sql`create constraint trigger waits after update on deliveries deferrable initially deferred
    for each row when (new.state = 'active' and old.state = 'queued') execute function wait_at_commit()`.execute(db);
};

/** Work like that of a mail: all but the effect comes before its claim is recorded. */
const workOf = () => {
  const [begun, sent]: [string[], string[]] = [[], []];
  const work: MailWork = async ({ eventId }, _, attempt) => {
    begun.push(eventId);
    await attempt.recorded;
    if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
    sent.push(eventId);
    return { kind: "done" };
  };
  return { begun, sent, work };
};

/** A consumer whose connections have prepared the claim. */
const aWarmPipeline = async (beginsEarly: boolean) => {
  const pipeline = await aPipeline();
  await slowCommits(pipeline);
  const { begun, sent, work } = workOf();
  await pipeline.consumer(work, { beginsEarly });
  const isDone = (eventId: string) => async () => (await pipeline.status(eventId))?.state === "done";
  for (let turn = 0; turn < 4; turn += 1) {
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(isDone(eventId));
  }
  return { pipeline, begun, sent, isDone };
};

describe("at low load, a claim that is answered before it is recorded", () => {
  test("lets the work begin, and its effect take place only when it is recorded", async () => {
    const { pipeline, begun, sent, isDone } = await aWarmPipeline(true);
    await using _ = pipeline;
    await using stranger = await aStranger(pipeline.url, COMMIT_LOCK);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(() => begun.includes(eventId));
    expect((await pipeline.status(eventId))?.state).toBe("queued");
    expect(sent).not.toContain(eventId);
    await stranger.end("rollback");
    await eventually(isDone(eventId));
    expect(sent.filter((id) => id === eventId)).toEqual([eventId]);
  });

  test("does not let work begin that does not wait for it itself", async () => {
    const { pipeline, begun, isDone } = await aWarmPipeline(false);
    await using _ = pipeline;
    await using stranger = await aStranger(pipeline.url, COMMIT_LOCK);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    const waits = sql<{
      n: number;
    }>`select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`;
    await eventually(async () => (await waits.execute(pipeline.db)).rows[0]?.n === 1);
    expect(begun).not.toContain(eventId);
    await stranger.end("rollback");
    await eventually(isDone(eventId));
  });

  test("that the server loses has no effect, writes nothing under its fence, and the work is done once, later", async () => {
    const { pipeline, begun, sent, isDone } = await aWarmPipeline(true);
    await using _ = pipeline;
    await using stranger = await aStranger(pipeline.url, COMMIT_LOCK);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(() => begun.includes(eventId));
    await sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted`.execute(
      pipeline.db,
    );
    // Somebody else's claim would have the same fence.
    await sql`update deliveries set state = 'held', reason = 'somebody', fence = fence + 1 where event_id = ${eventId}`.execute(
      pipeline.db,
    );
    await eventually(async () => {
      const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'`.execute(pipeline.db);
      return rows[0]?.n === 1;
    });
    expect(sent).not.toContain(eventId);
    expect(await pipeline.status(eventId)).toMatchObject({ state: "held", reason: "somebody" });
    await stranger.end("rollback");
    await sql`update deliveries set state = 'queued', reason = null where event_id = ${eventId}`.execute(pipeline.db);
    await eventually(isDone(eventId), 15_000);
    expect(sent.filter((id) => id === eventId)).toEqual([eventId]);
    expect((await pipeline.status(eventId))?.uncertain).toBe(0);
  });
});
