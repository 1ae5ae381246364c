import { describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { ensureGroup } from "../stream/ensure-group.ts";
import { IDLE_REPORT } from "../stream/report-for-tests.ts";
import { beat, endBeat } from "../stream/scripts/beat.ts";
import { eventually } from "../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../tests/pipeline.ts";
import { answerOf, deadLetter, GROUP, textOf } from "./operator-for-tests.ts";

const deliveryPage = z.object({
  deliveries: z.array(z.object({ eventId: z.string() })),
  next: z.string().nullable(),
  byReason: z.record(z.string(), z.number()),
});

describe.concurrent("status", () => {
  test("shows every group, orphaned ones included, the ledger, the outbox and Redis", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    await deadLetter(pipeline, 2);
    await pipeline.signUp(aSignup(), aSignup(), aSignup());
    await pipeline.writeOnly(aSignup());
    await redis.xgroup("CREATE", keys.events, "old-newsletter", "0");
    await redis.zadd(keys.retrySet(GROUP), 1, "[]");
    await redis.xgroup("CREATECONSUMER", keys.events, GROUP, "somebody");
    await redis.xreadgroup("GROUP", GROUP, "somebody", "COUNT", 1, "STREAMS", keys.events, ">");

    const { json } = await answerOf(pipeline, "status");
    expect(json).toMatchObject({
      groups: [
        {
          group: GROUP,
          orphaned: false,
          lag: 2,
          retriesLag: 0,
          pending: 1,
          waitingRetries: 1,
          dueRetries: 1,
          deadLetters: 2,
          paused: false,
          // On a busy machine the one that made the dead letters may not have left in time.
          consumers: expect.arrayContaining([expect.objectContaining({ name: "somebody", pending: 1 })]),
        },
        { group: "old-newsletter", orphaned: true, lag: 5, consumers: [] },
      ],
      ledger: { byGroup: { [GROUP]: { dead: 2, queued: 4 } }, counted: 6, bounded: false, outbox: { rows: 1 } },
    });
    const text = await textOf(pipeline, "status");
    expect(text).toContain("orphaned: no consumer reads it");
    expect(text).toContain("4 queued");
    expect(text).toContain("ops group drop old-newsletter");
  });

  test("says which system fails, since when, what waits and what a consumer does, before its first entry, too", async () => {
    await using pipeline = await aPipeline();
    const refuses = async () => ({ kind: "unavailable" as const, reason: "connection_refused" });
    const consumer = await pipeline.consumer(refuses, { claimMinIdleMs: 1_000 });
    const now = async () => (await answerOf(pipeline, "status")).json;
    await eventually(async () => JSON.stringify(await now()).includes('"state":"reading"'));
    expect(await textOf(pipeline, "status")).toContain("All is well: nothing waits.");
    await pipeline.signUp(...Array.from({ length: 6 }, () => aSignup()));
    await eventually(async () =>
      /refuses connections since .*; 6 mails wait, none is lost/.test(JSON.stringify(await now())),
    );
    // The consumer says so with its next sign of life.
    await eventually(async () =>
      /breaker open: connection_refused {2}\d.* ago/.test(await textOf(pipeline, "consumers")),
    );
    expect((await answerOf(pipeline, "consumers", "--group", GROUP)).json).toMatchObject({
      consumers: [{ group: GROUP, doing: { kind: "failing" }, report: { breaker: { state: "open" } } }],
      unread: [],
    });
    const text = await textOf(pipeline, "status");
    expect(text).toMatch(/(-|s) +breaker open\s/);
    expect(text).toMatch(/breaker open: connection_refused/);
    const { json, failed } = await answerOf(pipeline, "doctor");
    expect(failed).toBe(true);
    expect(JSON.stringify(json)).toContain('"situation","verdict":"fail"');
    await consumer.stop();
    expect(await now()).toMatchObject({ groups: [{ consumers: [] }] });
    expect(await textOf(pipeline, "consumers")).toBe(`no consumer reads: ${GROUP}. Start one: bun run consumer`);
  });

  test("says when a lag is unknown, and when a group is missing", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const [first = "", second = ""] = await Promise.all([1, 2].map(() => redis.xadd(keys.events, "*", "a", "b")));
    await redis.xadd(keys.events, "*", "a", "b");
    await redis.xdel(keys.events, second ?? "");
    await redis.xgroup("SETID", keys.events, GROUP, first ?? "");
    await redis.xgroup("DESTROY", keys.retriesStream(GROUP), GROUP);
    expect((await answerOf(pipeline, "status")).json).toMatchObject({
      groups: [{ lag: null, retriesLag: null, exists: { events: true, retries: false } }],
    });
    const text = await textOf(pipeline, "status");
    expect(text).toContain("unknown");
    expect(text).toContain("no group");
    const doctor = await answerOf(pipeline, "doctor");
    expect(doctor.failed).toBe(true);
  });
});

describe.concurrent("find", () => {
  test("finds by event id, user id, address and name; addresses are masked by default", async () => {
    await using pipeline = await aPipeline();
    const signup = aSignup({
      userName: "Đặng Mai",
      userNameKey: "đặng mai",
      email: "Mai@example.org",
      emailKey: "mai@example.org",
    });
    const eventId = await pipeline.writeOnly(signup);
    for (const word of [eventId, signup.userId, "MAI@example.org", "ĐẶNG MAI"]) {
      const { json, failed } = await answerOf(pipeline, "find", word);
      expect(failed).toBe(false);
      expect(json).toMatchObject({
        signups: [
          { userName: "Đ***", email: "M***@example.org", deliveries: [{ eventId, state: "queued", inOutbox: true }] },
        ],
      });
    }
    expect(await textOf(pipeline, "find", eventId)).not.toContain("Mai@");
    expect(await textOf(pipeline, "find", eventId, "--show-address")).toContain("Mai@example.org");
    expect((await answerOf(pipeline, "find", "nobody@example.org")).failed).toBe(true);
  });

  test("shows the dead letter, the reason and the timeline", async () => {
    await using pipeline = await aPipeline();
    const [eventId = ""] = await deadLetter(pipeline, 1);
    const text = await textOf(pipeline, "find", eventId);
    expect(text).toMatch(/dead letter\s+\d+-\d+/);
    expect(text).toMatch(/reason\s+mailbox_unavailable/);
    expect(text).toMatch(/\+0 ms\s+\S+Z\s+queued/);
    expect(text).toMatch(/sending\s+1/);
  });
});

test.concurrent("what waits for its next attempt is listed: when, why, after how many attempts, and the last words", async () => {
  await using pipeline = await aPipeline();
  const consumer = await pipeline.consumer(
    async () => ({ kind: "transient", reason: "greylisted", reply: "450 4.7.1 come back later", minDelayMs: 600_000 }),
    { retryDelayMs: 600_000 },
  );
  const eventIds = await pipeline.signUp(aSignup(), aSignup(), aSignup());
  await eventually(async () =>
    (await Promise.all(eventIds.map((id) => pipeline.status(id)))).every((found) => found?.state === "retrying"),
  );
  await consumer.stop();
  const list = (...flags: string[]) => answerOf(pipeline, "retrying", ...flags);
  const first = deliveryPage.parse((await list("--limit", "2", "--group", GROUP)).json);
  const rest = deliveryPage.parse((await list("--cursor", first.next ?? "")).json);
  expect([...first.deliveries, ...rest.deliveries].map(({ eventId }) => eventId).toSorted()).toEqual(
    eventIds.toSorted(),
  );
  expect({ first: first.deliveries.length, next: rest.next, byReason: first.byReason }).toEqual({
    first: 2,
    next: null,
    byReason: { greylisted: 3 },
  });
  const text = await textOf(pipeline, "retrying", "--reason", "greylisted", "--since", "1h");
  expect(text).toMatch(/greylisted +1 +0 .* ago +in \d.* +450 4\.7\.1 come back later/);
  expect(await textOf(pipeline, "retrying", "--before", "1h")).toBe("nothing waits for a further attempt");
  await expect(list("--reason", "nosuch")).rejects.toThrow("there are: greylisted");
});

describe.concurrent("dead letters", () => {
  test("are listed, by reason and up to a limit, and shown in full", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const [eventId = ""] = await deadLetter(pipeline, 2, "content_refused");
    await redis.xadd(keys.dead(GROUP), "*", "reason", "malformed", "detail", "\u001b[2Jgone", "fields", '["a","b"]');
    expect((await answerOf(pipeline, "dead", "list", "--limit", "1")).json).toMatchObject({
      total: 3,
      byReason: { content_refused: 2, malformed: 1 },
      letters: [{ group: GROUP, eventId, reason: "content_refused", attempts: 1 }],
    });
    expect((await answerOf(pipeline, "dead", "list", "--reason", "malformed")).json).toMatchObject({ total: 1 });
    const text = await textOf(pipeline, "dead", "list");
    expect(text).toContain("\\u001b[2Jgone");
    expect(text).not.toContain("\u001b");
    expect((await answerOf(pipeline, "dead", "show", eventId)).json).toMatchObject({
      letters: [{ eventId, reason: "content_refused", ledgerState: "dead", group: GROUP }],
    });
    expect(await textOf(pipeline, "dead", "show", eventId)).toContain("user.signed_up.v1");
    expect((await answerOf(pipeline, "dead", "show", "9-9")).failed).toBe(true);
  });

  test("are retried and dropped by the commands", async () => {
    await using pipeline = await aPipeline();
    const [first = "", second = ""] = await deadLetter(pipeline, 3, "no_such_address");
    expect(await textOf(pipeline, "dead", "retry", first)).toContain("1 letter: queued again");
    expect(await textOf(pipeline, "dead", "retry", "--all", "--dry-run")).toContain("2 letters, nothing was done");
    expect(await textOf(pipeline, "dead", "drop", second)).toBe("1 letter dropped (1 no_such_address)");
    expect((await answerOf(pipeline, "dead", "drop", second)).failed).toBe(true);
    expect((await answerOf(pipeline, "dead", "retry", second, "--group", GROUP)).failed).toBe(false);
    expect((await answerOf(pipeline, "dead", "retry", Bun.randomUUIDv7())).failed).toBe(true);
    await expect(answerOf(pipeline, "dead", "list", "--group", "nobody")).rejects.toThrow("there are: welcome-email");
  });
});

describe.concurrent("a preview", () => {
  test("lists each mail in each language, shows one as it is sent, and writes all of them", async () => {
    await using pipeline = await aPipeline();
    const list = await textOf(pipeline, "preview");
    for (const kind of ["welcome", "confirmation", "reminder", "notice"])
      expect(list).toMatch(new RegExp(`${kind} +vi`));
    const one = ["preview", "welcome", "--locale", "en", "--name", "Mai"];
    expect(await textOf(pipeline, ...one)).toContain("Hello Mai,");
    const html = await textOf(pipeline, ...one, "--html");
    expect(html).toStartWith("<!doctype html>");
    expect(html).toContain("<bdi>Mai</bdi>");
    const folder = mkdtempSync(join(tmpdir(), "ops-preview-"));
    expect(await textOf(pipeline, "preview", "--folder", folder, "--locale", "vi")).toContain("8 files written");
    expect(readFileSync(join(folder, "welcome.vi.html"), "utf8")).toContain("<bdi>Ánh</bdi>");
    rmSync(folder, { recursive: true });
    await expect(answerOf(pipeline, "preview", "nosuch")).rejects.toThrow("there are: welcome, confirmation");
    await expect(answerOf(pipeline, "preview", "welcome", "--locale", "fr")).rejects.toThrow("there are: vi, en");
    const toMe = ["preview", "welcome", "--locale", "vi", "--send-to", "me@example.com"];
    await expect(answerOf(pipeline, ...toMe)).rejects.toThrow("no mail server");
  });
});

test.concurrent("suppressions are listed, masked, and lifted", async () => {
  await using pipeline = await aPipeline();
  const eventId = Bun.randomUUIDv7();
  await pipeline.db
    .insertInto("suppressions")
    .values({ email_key: "mai@example.org", reason: "no_such_address", event_id: eventId })
    .execute();
  expect((await answerOf(pipeline, "suppressions", "list")).json).toMatchObject({
    suppressions: [{ address: "m***@example.org", reason: "no_such_address", eventId }],
  });
  expect((await answerOf(pipeline, "suppressions", "lift", "MAI@example.org")).json).toEqual({ lifted: true });
  expect((await answerOf(pipeline, "suppressions", "lift", "mai@example.org")).failed).toBe(true);
});

test.concurrent("a group is paused and resumed, and its consumers obey", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  expect((await answerOf(pipeline, "pause", GROUP)).json).toEqual({ group: GROUP, paused: true, changed: true });
  await eventually(() => consumer.state() === "paused");
  expect(await textOf(pipeline, "status")).toContain("paused");
  await pipeline.signUp(aSignup());
  expect((await answerOf(pipeline, "resume", GROUP)).json).toEqual({ group: GROUP, paused: false, changed: true });
  await eventually(() => outbox.sent.length === 1);
  await expect(answerOf(pipeline, "pause", "nobody")).rejects.toThrow("no group is named nobody");
});

test.concurrent("an orphaned group is dropped with everything it owns, once confirmed; a known one only with --force", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const old = { name: "old-newsletter", types: [] };
  await ensureGroup(redis, keys, old);
  await redis.xadd(keys.dead(old.name), "*", "reason", "x");
  await redis.zadd(keys.retrySet(old.name), 1, "[]");
  await pipeline.signUp(aSignup());
  const refused = await answerOf(pipeline, "group", "drop", old.name);
  expect(refused).toMatchObject({ failed: true, json: { dropped: false, lost: { unread: 1, deadLetters: 1 } } });
  const consumer = { keys, group: old.name, consumer: "consumer-1" };
  await beat(redis, consumer, IDLE_REPORT);
  await expect(answerOf(pipeline, "group", "drop", old.name, "--yes")).rejects.toThrow("1 consumer reads");
  await endBeat(redis, consumer);
  const done = await answerOf(pipeline, "group", "drop", old.name, "--yes");
  expect(done.json).toMatchObject({ group: old.name, dropped: true });
  expect((await redis.keys(`{${pipeline.streamName}}*`)).filter((key) => key.includes(old.name))).toEqual([]);
  expect((await answerOf(pipeline, "status")).json).toMatchObject({ groups: [{ group: GROUP, lag: 1 }] });
  await expect(answerOf(pipeline, "group", "drop", old.name, "--yes")).rejects.toThrow("there is no group");
  await expect(answerOf(pipeline, "group", "drop", GROUP, "--yes")).rejects.toThrow("give --force");
  expect((await answerOf(pipeline, "group", "drop", GROUP, "--yes", "--force")).json).toMatchObject({ dropped: true });
});

test.concurrent("a doctor checks both stores and the groups, and asks for the groups once", async () => {
  await using pipeline = await aPipeline();
  const asked = spyOn(pipeline.ops.redis, "xlen");
  const { json, text } = await answerOf(pipeline, "doctor");
  expect(asked.mock.calls).toEqual([[pipeline.keys.dead(GROUP)]]);
  expect(json).toMatchObject({
    checks: expect.arrayContaining([
      expect.objectContaining({ name: "postgres version", verdict: "ok" }),
      expect.objectContaining({ name: "migrations", verdict: "ok" }),
      expect.objectContaining({ name: "redis version", verdict: "ok" }),
      expect.objectContaining({ name: "clocks", verdict: "ok" }),
      expect.objectContaining({ name: `group ${GROUP}`, verdict: "ok" }),
      expect.objectContaining({ name: "outbox", verdict: "ok" }),
      expect.objectContaining({ name: "mail server", verdict: "skipped" }),
    ]),
  });
  expect(text((_, plain) => plain)).toContain("up to date");
});
