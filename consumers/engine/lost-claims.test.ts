import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { encodeEvent, loggedEvent } from "../../stream/events/envelope.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, committedEvent, type Pipeline } from "../../tests/pipeline.ts";
import {
  aGatedConsumer,
  aPeer,
  aStalledConsumer,
  createStalledCommits,
  SHORT,
  type StalledConsumer,
  untilAfter,
  untilLeaseIsOver,
} from "../../tests/stalled-commits.ts";
import { startProxyOf } from "../../tests/tcp-proxy.ts";

const POLICIES = ["resend", "hold"] as const;

const statuses = (pipeline: Pipeline, eventIds: readonly string[]) =>
  Promise.all(eventIds.map((id) => pipeline.status(id)));

/** Each is sent once, by one attempt, and none counts as doubtful in the end. */
const expectUntouched = async (
  pipeline: Pipeline,
  { eventIds, outbox: { sent } }: Pick<StalledConsumer, "eventIds" | "outbox">,
) => {
  await eventually(async () =>
    (await statuses(pipeline, eventIds)).every((status) => status?.state === "done" && status.uncertain === 0),
  );
  expect(sent.toSorted()).toEqual(eventIds.toSorted());
  for (const status of await statuses(pipeline, eventIds)) {
    expect(status).toMatchObject({ state: "done", uncertain: 0, attempts: 1 });
    expect(status?.timeline.filter(({ state }) => state === "uncertain")).toEqual([]);
  }
};

/** A claim that fails when its look-up is older (2 s) is not repeated. */
const untilClaimIsGivenUp = () => untilAfter(4_000);

/** In a transaction, which waits as long as it takes for the locks of statements whose connection was cut. */
const change = (db: Pipeline["db"], statement: string) =>
  db.transaction().execute((transaction) => sql.raw(statement).execute(transaction));

/** Postgres cancels updates of such deliveries, as a limit of time does. */
const refuse = async (db: Pipeline["db"], which: string) => {
  await sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'canceling statement' using errcode = '57014'; end $$`.execute(db);
  await change(
    db,
    `create trigger refuse before update on deliveries for each row when (${which}) execute function refuse()`,
  );
  return { end: () => change(db, "drop trigger refuse on deliveries") };
};

describe.concurrent("a claim whose answer is lost counts as no try while its process lives", () => {
  for (const uncertain of POLICIES) {
    test(`its commit stalls for longer than its lease, and nobody else is there (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      const one = await aStalledConsumer(pipeline, "active", { uncertain });
      await untilLeaseIsOver();
      await one.stalled.end();
      await expectUntouched(pipeline, one);
    });

    test(`its commit stalls for longer than its lease, and a peer reads another entry of the event (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      const one = await aStalledConsumer(pipeline, "active", { uncertain });
      await aPeer(pipeline, one, { uncertain });
      await untilLeaseIsOver();
      await one.stalled.end();
      await expectUntouched(pipeline, one);
    });

    test(`its link is cut until a peer has taken it over (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const one = await aStalledConsumer(pipeline, "active", { uncertain, databaseUrl: proxy.url });
      proxy.silence();
      await one.stalled.end();
      await aPeer(pipeline, one, { uncertain });
      const taken = uncertain === "hold" ? "held" : "done";
      await eventually(async () => (await statuses(pipeline, one.eventIds)).some((status) => status?.state === taken));
      proxy.restore();
      await expectUntouched(pipeline, one);
    });

    test(`a lease ran out before the work began, and a peer has taken it over (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const one = await aGatedConsumer(pipeline, { uncertain, databaseUrl: proxy.url });
      proxy.silence();
      await aPeer(pipeline, one, { uncertain });
      const taken = uncertain === "hold" ? "held" : "done";
      await eventually(async () => (await statuses(pipeline, one.eventIds)).every((status) => status?.state === taken));
      one.goOn();
      proxy.restore();
      await expectUntouched(pipeline, one);
    });
  }

  test("two entries of one event were read together: neither stays in flight", async () => {
    await using pipeline = await aPipeline();
    await using proxy = await startProxyOf(pipeline.url);
    const stalled = await createStalledCommits(pipeline.db);
    const outbox = anOutbox();
    const options = { ...SHORT, uncertain: "hold", databaseUrl: proxy.url } as const;
    const { consumer, inFlight } = await pipeline.consumer(outbox.work, options);
    await stalled.begin(consumer, "active");
    const signup = aSignup();
    const eventId = await pipeline.writeOnly(signup);
    const { redis, keys } = pipeline;
    const entry = encodeEvent(loggedEvent(committedEvent(signup)));
    await redis
      .multi()
      .xadd(keys.events, "*", ...entry)
      .xadd(keys.events, "*", ...entry)
      .exec();
    await eventually(async () => (await stalled.waiting()) > 0);
    expect(inFlight()).toBe(2);
    proxy.silence();
    await untilClaimIsGivenUp();
    await stalled.end();
    proxy.restore();
    await expectUntouched(pipeline, { eventIds: [eventId], outbox });
    const pendingOn = async (stream: string) => Number((await redis.xpending(stream, "welcome-email"))[0]);
    await eventually(
      async () =>
        inFlight() + (await pendingOn(keys.events)) + (await pendingOn(keys.retriesStream("welcome-email"))) === 0,
    );
  });

  test("a part of it was made, and the rest is refused until it is given up: that part counts as no try", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const refusal = await refuse(pipeline.db, "old.state = 'retrying' and new.state = 'active'");
    const [retrying, plain] = [aSignup(), aSignup()];
    const eventIds = [await pipeline.writeOnly(retrying), await pipeline.writeOnly(plain)];
    await pipeline.db
      .updateTable("deliveries")
      .set({ state: "retrying", next_try_at: new Date(0) })
      .where("event_id", "=", retrying.event.eventId)
      .execute();
    const { redis, keys } = pipeline;
    const both = redis.multi();
    for (const each of [retrying, plain])
      both.xadd(keys.events, "*", ...encodeEvent(loggedEvent(committedEvent(each))));
    await both.exec();
    await pipeline.consumer(outbox.work, { ...SHORT, uncertain: "hold" });
    const claimed = async () =>
      (await pipeline.status(plain.event.eventId))?.timeline.some(({ state }) => state === "active");
    await eventually(claimed);
    await untilClaimIsGivenUp();
    await refusal.end();
    await expectUntouched(pipeline, { eventIds, outbox });
  });

  test("its consumer is asked to stop, and is answered within its drain time", async () => {
    await using pipeline = await aPipeline();
    const one = await aStalledConsumer(pipeline, "active", { uncertain: "hold", drainTimeoutMs: 30_000 });
    const stopped = one.consumer.stop();
    await untilLeaseIsOver();
    await one.stalled.end();
    await stopped;
    expect((await statuses(pipeline, one.eventIds)).map((status) => status?.state)).toEqual(
      one.eventIds.map(() => "queued"),
    );
    await pipeline.consumer(one.outbox.work, { ...SHORT, uncertain: "hold" });
    await expectUntouched(pipeline, one);
  });

  test("its consumer is asked to stop while the ledger refuses to undo it: it asks once more", async () => {
    await using pipeline = await aPipeline();
    await using proxy = await startProxyOf(pipeline.url);
    const one = await aGatedConsumer(pipeline, { uncertain: "hold", databaseUrl: proxy.url });
    proxy.silence();
    await aPeer(pipeline, one, { uncertain: "hold" });
    await eventually(async () => (await statuses(pipeline, one.eventIds)).every((status) => status?.state === "held"));
    const refusal = await refuse(pipeline.db, "old.state = 'held'");
    one.goOn();
    proxy.restore();
    await eventually(
      () => one.consumer.inFlight() === 0 && one.consumer.faults()["unclaimer of welcome-email"] !== undefined,
    );
    // By now it waits for seconds before it asks again.
    await untilAfter(4_000);
    await refusal.end();
    await one.consumer.stop();
    await expectUntouched(pipeline, one);
  });

  test("nobody says anything of a process that died: it is in doubt, as before", async () => {
    await using pipeline = await aPipeline();
    const one = await aStalledConsumer(pipeline, "active", { uncertain: "hold" });
    const { eventIds, outbox } = one;
    one.consumer.crash();
    await untilLeaseIsOver();
    await one.stalled.end();
    await pipeline.consumer(outbox.work, { ...SHORT, uncertain: "hold" });
    // It may have died before it read all of them.
    const idsIn = async (state: string) => {
      const all = await statuses(pipeline, eventIds);
      return eventIds.filter((_, index) => all[index]?.state === state);
    };
    await eventually(async () => (await idsIn("held")).length + (await idsIn("done")).length === eventIds.length);
    expect(await idsIn("held")).not.toEqual([]);
    expect(outbox.sent.toSorted()).toEqual((await idsIn("done")).toSorted());
  });
});
