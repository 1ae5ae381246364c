import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { enqueueLogged } from "../../stream/enqueue.ts";
import { eventually } from "../../tests/eventually.ts";
import { aMailGroup, anOutbox, aPipeline, aSignup, committedEvent, type MailWork } from "../../tests/pipeline.ts";
import { allSent, anEvent, nothingPending, pendingCount } from "../../tests/pipeline-states.ts";

const group = "welcome-email";

describe.concurrent("a group", () => {
  test("shares a backlog among its consumers: each mail once, and both have worked", async () => {
    await using pipeline = await aPipeline();
    const [left, right] = [anOutbox(), anOutbox()];
    const eventIds = await pipeline.signUp(...Array.from({ length: 100 }, () => aSignup()));
    // The first has no more than it has room for until the second works, too.
    const { promise: bothWork, resolve } = Promise.withResolvers<void>();
    await pipeline.consumer(async (...args) => {
      await bothWork;
      return left.work(...args);
    });
    await pipeline.consumer((...args) => {
      resolve();
      return right.work(...args);
    });
    await allSent(pipeline, eventIds);
    expect([...left.sent, ...right.sent].sort()).toEqual([...eventIds].sort());
    expect(left.sent.length).toBeGreaterThan(0);
    expect(right.sent.length).toBeGreaterThan(0);
    await nothingPending(pipeline);
  });

  test("reads no more than it has room for: a backlog waits in the stream", async () => {
    await using pipeline = await aPipeline();
    const release = Promise.withResolvers<void>();
    const outbox = anOutbox();
    const consumer = await pipeline.consumer(
      async (...args) => {
        await release.promise;
        return outbox.work(...args);
      },
      { concurrency: 3 },
    );
    const eventIds = await pipeline.signUp(...Array.from({ length: 20 }, () => aSignup()));
    await eventually(() => consumer.inFlight() === 3);
    expect(await pendingCount(pipeline)).toBe(3);
    release.resolve();
    await allSent(pipeline, eventIds);
    expect(outbox.sent).toHaveLength(20);
  });

  test("takes over what a dead peer had, although it is full", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const release = Promise.withResolvers<void>();
    const waiting: MailWork = async (...args) => {
      await release.promise;
      return outbox.work(...args);
    };
    // Long enough that a busy machine does not make the living look dead: who claims from them makes suspects of their entries.
    const own = { concurrency: 3, claimMinIdleMs: 4_000 };
    const dead = await pipeline.consumer(waiting, own);
    const first = await pipeline.signUp(...Array.from({ length: 3 }, () => aSignup()));
    await eventually(() => dead.inFlight() === 3);
    const full = await pipeline.consumer(waiting, own);
    const second = await pipeline.signUp(...Array.from({ length: 9 }, () => aSignup()));
    await eventually(() => full.inFlight() === 3);
    dead.crash();
    await eventually(() => full.inFlight() === 6);
    release.resolve();
    await allSent(pipeline, [...first, ...second]);
  });

  test("reads a new entry while much that was brought back waits", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const old = Array.from({ length: 100 }, () => aSignup());
    await Promise.all(old.map((signup) => pipeline.writeOnly(signup)));
    await enqueueLogged(pipeline.redis, pipeline.keys.retriesStream(group), old.map(committedEvent));
    const [newId = ""] = await pipeline.signUp(aSignup());
    await pipeline.consumer(
      async (...args) => {
        await Bun.sleep(10);
        return outbox.work(...args);
      },
      { concurrency: 4 },
    );
    await eventually(() => outbox.sent.includes(newId));
    expect(outbox.sent.indexOf(newId)).toBeLessThan(20);
    await eventually(() => outbox.sent.length === 101);
  });

  test("two entries of one event, read by two consumers at once, are one mail", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const signup = aSignup();
    const eventId = await pipeline.writeOnly(signup);
    for (let copy = 0; copy < 10; copy += 1) {
      await pipeline.redis.xadd(pipeline.keys.events, "*", ...anEvent(eventId, signup.userId));
    }
    await pipeline.consumer(outbox.work, { concurrency: 2 });
    await pipeline.consumer(outbox.work, { concurrency: 2 });
    await allSent(pipeline, [eventId]);
    await nothingPending(pipeline);
    await eventually(async () => (await pipeline.redis.zcard(pipeline.keys.retrySet(group))) === 0);
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  });

  test("a send that takes longer than the claim threshold stays its owner's", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const slow: MailWork = async (...args) => {
      await Bun.sleep(2_500);
      return outbox.work(...args);
    };
    await pipeline.consumer(slow);
    await pipeline.consumer(slow);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await allSent(pipeline, [eventId]);
    expect(outbox.sent).toEqual([eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ uncertain: 0, attempts: 1 });
  });

  test("retries until its attempts are used up, then dead-letters with the last reason", async () => {
    await using pipeline = await aPipeline();
    let attempts = 0;
    await pipeline.consumer(
      async () => {
        attempts += 1;
        return { kind: "transient", reason: "mailbox_full" };
      },
      { retryMax: 2, retryDelayMs: 20 },
    );
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(async () => (await pipeline.status(eventId))?.state === "dead");
    expect(attempts).toBe(3);
    const letters = await eventually(async () => {
      const found = await pipeline.redis.xrange(pipeline.keys.dead(group), "-", "+");
      return found.length > 0 && found;
    });
    expect(letters[0]?.[1]).toEqual(
      expect.arrayContaining(["reason", "retries_exhausted", "detail", "mailbox_full", "attempts", "3"]),
    );
  });

  test("failures of the system use up no attempt", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    let failures = 0;
    await pipeline.consumer(
      async (...args) => {
        failures += 1;
        return failures <= 6 ? { kind: "unavailable", reason: "connection_refused" } : outbox.work(...args);
      },
      { retryMax: 1, retryDelayMs: 5 },
    );
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await allSent(pipeline, [eventId]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  });

  test("an event without a row: without a user it is cancelled, a user gets a row and the mail, a second event is no second mail", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const { redis, keys, db } = pipeline;
    const signup = aSignup();
    await pipeline.writeOnly(signup);
    for (const table of ["deliveries", "events", "outbox"] as const) await db.deleteFrom(table).execute();
    const [unknown, known, again] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    await redis.xadd(keys.events, "*", ...anEvent(unknown, Bun.randomUUIDv7()));
    await redis.xadd(keys.events, "*", ...anEvent(known, signup.userId));
    await pipeline.consumer(outbox.work);
    await allSent(pipeline, [known]);
    await redis.xadd(keys.events, "*", ...anEvent(again, signup.userId));
    await eventually(async () => (await pipeline.status(again))?.state === "cancelled");
    await nothingPending(pipeline);
    expect(outbox.sent).toEqual([known]);
    expect((await pipeline.status(unknown))?.state).toBe("cancelled");
  });

  test("a user who was erased before the send gets nothing: cancelled", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await pipeline.db.deleteFrom("users").execute();
    await pipeline.consumer(outbox.work);
    await eventually(async () => (await pipeline.status(eventId))?.state === "cancelled");
    await nothingPending(pipeline);
    expect(outbox.sent).toEqual([]);
  });

  test("who was erased while the ledger could not be written gets nothing: cancelled", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    let looks = 0;
    await pipeline.db.transaction().execute(async (stranger) => {
      await sql`lock table deliveries in exclusive mode`.execute(stranger);
      await pipeline.start((db) => {
        const mails = aMailGroup(db, outbox.work);
        return {
          ...mails,
          prepare: async (pieces: Parameters<typeof mails.prepare>[0]) => {
            const found = await mails.prepare(pieces);
            looks += 1;
            return found;
          },
        };
      });
      await eventually(() => looks === 1);
      await pipeline.db.deleteFrom("users").execute();
      await eventually(() => looks > 1);
    });
    await eventually(async () => (await pipeline.status(eventId))?.state === "cancelled");
    await nothingPending(pipeline);
    expect(outbox.sent).toEqual([]);
    expect(await pipeline.status(eventId)).toMatchObject({ attempts: 0, uncertain: 0 });
  });

  test("a mail that is too old is dead, reason expired", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await Bun.sleep(5);
    await pipeline.consumer(outbox.work, { expireAfterMs: 1 });
    await eventually(async () => (await pipeline.status(eventId))?.state === "dead");
    expect(await pipeline.status(eventId)).toMatchObject({ reason: "expired" });
    expect(outbox.sent).toEqual([]);
  });

  test("paused, it sends nothing and loses nothing; resumed, it goes on", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await pipeline.redis.sadd(pipeline.keys.paused, group);
    const consumer = await pipeline.consumer(outbox.work);
    await eventually(() => consumer.state() === "paused");
    const eventIds = await pipeline.signUp(aSignup(), aSignup());
    expect(consumer.isLive()).toBe(true);
    expect(outbox.sent).toEqual([]);
    await pipeline.redis.srem(pipeline.keys.paused, group);
    await allSent(pipeline, eventIds);
  });

  test("asked to stop with work in flight: a peer has it at once, and nothing stays pending", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    const hanging: MailWork = (_claim, _recipient, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve({ kind: "released", reason: "stopped" }));
      });
    const first = await pipeline.consumer(hanging);
    const eventIds = await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    await eventually(() => first.inFlight() === 5);
    // A threshold far away: only a release can bring the entries to the peer.
    await pipeline.consumer(outbox.work, { claimMinIdleMs: 600_000 });
    await first.stop();
    await allSent(pipeline, eventIds);
    expect([...outbox.sent].sort()).toEqual([...eventIds].sort());
    for (const stream of [pipeline.keys.events, pipeline.keys.retriesStream(group)]) {
      const left: unknown = await pipeline.redis.xinfo("CONSUMERS", stream, group);
      expect(JSON.stringify(left)).not.toContain(first.consumer);
    }
    for (const eventId of eventIds) expect(await pipeline.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  });

  test("a body without a reply is uncertain when the drain time is over", async () => {
    await using pipeline = await aPipeline();
    const started = Promise.withResolvers<void>();
    const consumer = await pipeline.consumer(
      (_claim, _recipient, attempt) => {
        if (attempt.commit()) started.resolve();
        return new Promise(() => {});
      },
      { drainTimeoutMs: 500, retryDelayMs: 600_000 },
    );
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await started.promise;
    await consumer.stop();
    expect(await pipeline.status(eventId)).toMatchObject({ state: "uncertain", uncertain: 1, attempts: 1 });
    expect(await pipeline.redis.zcard(pipeline.keys.retrySet(group))).toBe(1);
  });

  test("a group that was flushed is created again, and continues to read", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    const [before = ""] = await pipeline.signUp(aSignup());
    await allSent(pipeline, [before]);
    await pipeline.redis.del(pipeline.keys.events, pipeline.keys.retriesStream(group));
    const [after = ""] = await pipeline.signUp(aSignup());
    await allSent(pipeline, [after]);
    expect(outbox.sent).toEqual([before, after]);
  });
});
