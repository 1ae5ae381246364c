import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { encodeEvent, loggedEvent } from "../../stream/events/envelope.ts";
import { eventually } from "../../tests/eventually.ts";
import {
  addSecondEntries,
  anOutbox,
  aPipeline,
  aSignup,
  committedEvent,
  type MailWork,
  type Pipeline,
} from "../../tests/pipeline.ts";
import { createStalledCommits } from "../../tests/stalled-commits.ts";
import { startProxyOf } from "../../tests/tcp-proxy.ts";

const SIGNUPS = 4;
/** Leases run out soon, answers are waited for no longer, and who has one of each signup reads no more. */
const SHORT = { claimMinIdleMs: 1_000, deadlineMs: 700, concurrency: SIGNUPS };
const POLICIES = ["resend", "hold"] as const;

const someSignups = () => Array.from({ length: SIGNUPS }, () => aSignup());

const statuses = (pipeline: Pipeline, eventIds: readonly string[]) =>
  Promise.all(eventIds.map((id) => pipeline.status(id)));

/** Each is sent once, by one attempt, and none counts as doubtful in the end. */
const expectUntouched = async (pipeline: Pipeline, eventIds: readonly string[], sent: readonly string[]) => {
  await eventually(async () =>
    (await statuses(pipeline, eventIds)).every((status) => status?.state === "done" && status.uncertain === 0),
  );
  expect(sent.toSorted()).toEqual(eventIds.toSorted());
  for (const status of await statuses(pipeline, eventIds)) {
    expect(status).toMatchObject({ state: "done", uncertain: 0, attempts: 1 });
    expect(status?.timeline.filter(({ state }) => state === "uncertain")).toEqual([]);
  }
};

const untilAfter = async (ms: number) => {
  const since = performance.now();
  await eventually(() => performance.now() - since > ms);
};

/** Nobody sees the lease of a claim whose commit stalls; it begins before the commit. */
const untilLeaseIsOver = () => untilAfter(2 * SHORT.claimMinIdleMs);

/** A claim that fails when its look-up is older (2 s) is not repeated. */
const untilClaimIsGivenUp = () => untilAfter(4_000);

/** Postgres cancels updates of such deliveries, as a limit of time does. */
const refuse = async (db: Pipeline["db"], which: string) => {
  await sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'canceling statement' using errcode = '57014'; end $$`.execute(db);
  await sql
    .raw(`create trigger refuse before update on deliveries for each row when (${which}) execute function refuse()`)
    .execute(db);
  return { end: () => sql`drop trigger refuse on deliveries`.execute(db) };
};

describe.concurrent("a claim whose answer is lost counts as no try while its process lives", () => {
  for (const uncertain of POLICIES) {
    test(`its commit stalls for longer than its lease, and nobody else is there (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      const stalled = await createStalledCommits(pipeline.db);
      const outbox = anOutbox();
      const { consumer } = await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await stalled.begin(consumer, "active");
      const eventIds = await pipeline.signUp(...someSignups());
      await eventually(async () => (await stalled.waiting()) > 0);
      await untilLeaseIsOver();
      await stalled.end();
      await expectUntouched(pipeline, eventIds, outbox.sent);
    });

    test(`its commit stalls for longer than its lease, and a peer reads another entry of the event (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      const stalled = await createStalledCommits(pipeline.db);
      const outbox = anOutbox();
      const { consumer } = await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await stalled.begin(consumer, "active");
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await eventually(async () => (await stalled.waiting()) > 0);
      await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await addSecondEntries(pipeline, signups);
      await untilLeaseIsOver();
      await stalled.end();
      await expectUntouched(pipeline, eventIds, outbox.sent);
    });

    test(`its link is cut until a peer has taken it over (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const stalled = await createStalledCommits(pipeline.db);
      const outbox = anOutbox();
      const { consumer } = await pipeline.consumer(outbox.work, { ...SHORT, uncertain, databaseUrl: proxy.url });
      await stalled.begin(consumer, "active");
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await eventually(async () => (await stalled.waiting()) > 0);
      proxy.silence();
      await stalled.end();
      await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await addSecondEntries(pipeline, signups);
      const taken = uncertain === "hold" ? "held" : "done";
      await eventually(async () => (await statuses(pipeline, eventIds)).some((status) => status?.state === taken));
      proxy.restore();
      await expectUntouched(pipeline, eventIds, outbox.sent);
    });

    test(`a lease ran out before the work began, and a peer has taken it over (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const outbox = anOutbox();
      const gate = Promise.withResolvers<void>();
      const begun: string[] = [];
      const slow: MailWork = async (claim, recipient, attempt) => {
        begun.push(claim.eventId);
        await gate.promise;
        return outbox.work(claim, recipient, attempt);
      };
      await pipeline.consumer(slow, { ...SHORT, uncertain, databaseUrl: proxy.url });
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await eventually(() => begun.length === eventIds.length);
      proxy.silence();
      await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await addSecondEntries(pipeline, signups);
      const taken = uncertain === "hold" ? "held" : "done";
      await eventually(async () => (await statuses(pipeline, eventIds)).every((status) => status?.state === taken));
      gate.resolve();
      proxy.restore();
      await expectUntouched(pipeline, eventIds, outbox.sent);
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
    await expectUntouched(pipeline, [eventId], outbox.sent);
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
    await expectUntouched(pipeline, eventIds, outbox.sent);
  });

  test("its consumer is asked to stop, and is answered within its drain time", async () => {
    await using pipeline = await aPipeline();
    const stalled = await createStalledCommits(pipeline.db);
    const outbox = anOutbox();
    const stopping = await pipeline.consumer(outbox.work, { ...SHORT, uncertain: "hold", drainTimeoutMs: 30_000 });
    await stalled.begin(stopping.consumer, "active");
    const eventIds = await pipeline.signUp(...someSignups());
    await eventually(async () => (await stalled.waiting()) > 0);
    const stopped = stopping.stop();
    await untilLeaseIsOver();
    await stalled.end();
    await stopped;
    expect((await statuses(pipeline, eventIds)).map((status) => status?.state)).toEqual(eventIds.map(() => "queued"));
    await pipeline.consumer(outbox.work, { ...SHORT, uncertain: "hold" });
    await expectUntouched(pipeline, eventIds, outbox.sent);
  });

  test("its consumer is asked to stop while the ledger refuses to undo it: it asks once more", async () => {
    await using pipeline = await aPipeline();
    await using proxy = await startProxyOf(pipeline.url);
    const outbox = anOutbox();
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    const slow: MailWork = async (claim, recipient, attempt) => {
      begun.push(claim.eventId);
      await gate.promise;
      return outbox.work(claim, recipient, attempt);
    };
    const stopping = await pipeline.consumer(slow, { ...SHORT, uncertain: "hold", databaseUrl: proxy.url });
    const signups = someSignups();
    const eventIds = await pipeline.signUp(...signups);
    await eventually(() => begun.length === eventIds.length);
    proxy.silence();
    await pipeline.consumer(outbox.work, { ...SHORT, uncertain: "hold" });
    await addSecondEntries(pipeline, signups);
    await eventually(async () => (await statuses(pipeline, eventIds)).every((status) => status?.state === "held"));
    const refusal = await refuse(pipeline.db, "old.state = 'held'");
    gate.resolve();
    proxy.restore();
    await eventually(() => stopping.inFlight() === 0 && stopping.faults()["unclaimer of welcome-email"] !== undefined);
    // By now it waits for seconds before it asks again.
    await untilAfter(4_000);
    await refusal.end();
    await stopping.stop();
    await expectUntouched(pipeline, eventIds, outbox.sent);
  });

  test("nobody says anything of a process that died: it is in doubt, as before", async () => {
    await using pipeline = await aPipeline();
    const stalled = await createStalledCommits(pipeline.db);
    const outbox = anOutbox();
    const dying = await pipeline.consumer(outbox.work, { ...SHORT, uncertain: "hold" });
    await stalled.begin(dying.consumer, "active");
    const eventIds = await pipeline.signUp(...someSignups());
    await eventually(async () => (await stalled.waiting()) > 0);
    dying.crash();
    await untilLeaseIsOver();
    await stalled.end();
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
