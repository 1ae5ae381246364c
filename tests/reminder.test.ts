import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { startReconciler } from "../api/background/reconciler.ts";
import { factory } from "../consumers/reminder-email/group.ts";
import { readBacklog } from "../database/ledger/counts.ts";
import { eraseUser } from "../database/users/erase.ts";
import { suppressAddress } from "../database/users/suppressions.ts";
import { readStatus } from "../ops/actions/status.ts";
import { anOperator } from "../ops/operator-for-tests.ts";
import { fieldsOf } from "../stream/entries.ts";
import { groupsOf, REMINDER_EMAIL, WELCOME_EMAIL } from "../stream/groups.ts";
import { infoRecords } from "../stream/info-records.ts";
import { eventually } from "./eventually.ts";
import { type MailServer, parseMail, startMailServer } from "./mail-server.ts";
import { mailSettings } from "./mail-settings.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "./pipeline.ts";

const GROUP = REMINDER_EMAIL.name;
const delayed = (delayMs: number) =>
  groupsOf({ receivers: [], REMINDER_DELAY_MS: delayMs }, [WELCOME_EMAIL, REMINDER_EMAIL]);
const HOUR_MS = 3_600_000;

/** A consumer of the group as it is shipped. */
const aConsumer = (pipeline: Pipeline, mailServer: MailServer) => {
  const settings = mailSettings(pipeline, mailServer);
  const group = pipeline.groups.find(({ name }) => name === GROUP) ?? REMINDER_EMAIL;
  return pipeline.open((db) => factory.open(group, { settings, db, log: silentLog }));
};

/** As if the delay were over: the entry in the retry set, and the delivery. */
const delayIsOver = async ({ db, redis, keys }: Pipeline) => {
  const past = new Date(Date.now() - 1);
  await db
    .updateTable("deliveries")
    .set({ next_try_at: past, published_at: past })
    .where("group_name", "=", GROUP)
    .execute();
  for (const member of await redis.zrange(keys.retrySet(GROUP), "0", "-1")) {
    await redis.zadd(keys.retrySet(GROUP), 1, member);
  }
};

const waits = (pipeline: Pipeline, count = 1) =>
  eventually(async () => (await pipeline.redis.zcard(pipeline.keys.retrySet(GROUP))) === count);

const stateOf = async (pipeline: Pipeline, eventId: string) => (await pipeline.status(eventId, GROUP))?.state;

describe("the reminder", () => {
  test("is sent after the delay, with a link of its own, and counted from when it was due", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline(delayed(1_000));
    const [eventId = ""] = await pipeline.signUp(aSignup());
    const dueAt = (await pipeline.status(eventId, GROUP))?.nextTryAt ?? new Date(0);
    await aConsumer(pipeline, mailServer);
    await eventually(async () => (await stateOf(pipeline, eventId)) === "done");
    const mail = await parseMail(mailServer.taken[0]?.raw ?? "");
    expect(mail.subject).toContain("Đừng quên xác nhận email");
    expect(mail.text).toMatch(/\/confirm\?token=[\w-]{72}&lang=vi\n/);
    expect(mail.messageId).toBe(`<${eventId}.reminder@toblug.example>`);
    const claimed = (await pipeline.status(eventId, GROUP))?.timeline.find(({ state }) => state === "active");
    expect(new Date(claimed?.at ?? 0).getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
  });

  test("of many signups that come together each waits once and is sent once", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline(delayed(HOUR_MS));
    const { db, redis, keys } = pipeline;
    const eventIds = await pipeline.signUp(...Array.from({ length: 60 }, () => aSignup()));
    await aConsumer(pipeline, mailServer);
    await waits(pipeline, 60);
    // The first batch was read and claimed; the others went to the retry set as they were.
    const [read] = infoRecords(await redis.xinfo("GROUPS", keys.events)).filter((group) => group.get("name") === GROUP);
    expect([read?.get("lag"), read?.get("pending"), read?.get("entries-read")]).toEqual([0, 0, 60]);
    const [least = "", score = ""] = await redis.zrange(keys.retrySet(GROUP), "0", "0", "WITHSCORES");
    expect(
      Number(score) - Date.parse(fieldsOf(z.array(z.string()).parse(JSON.parse(least)))["time"] ?? ""),
    ).toBeGreaterThan(HOUR_MS - 1_000);
    await delayIsOver(pipeline);
    await eventually(async () => {
      const done = db
        .selectFrom("deliveries")
        .select("event_id")
        .where("group_name", "=", GROUP)
        .where("state", "=", "done");
      return (await done.execute()).length === 60;
    });
    expect(mailServer.taken).toHaveLength(eventIds.length);
  });

  test("waits in Postgres, too: it is sent although Redis has lost everything", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline(delayed(HOUR_MS));
    const { db, redis, keys, groups } = pipeline;
    const [eventId = ""] = await pipeline.signUp(aSignup());
    const consumer = await aConsumer(pipeline, mailServer);
    await waits(pipeline);
    consumer.crash();
    await redis.del(...(await redis.keys(`{${pipeline.streamName}}*`)));
    await aConsumer(pipeline, mailServer);
    await using _ = startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 200 });
    await eventually(async () => (await redis.exists(keys.retriesStream(GROUP))) === 1);
    expect(await stateOf(pipeline, eventId)).toBe("queued");
    expect(mailServer.taken).toHaveLength(0);
    await delayIsOver(pipeline);
    await eventually(async () => (await stateOf(pipeline, eventId)) === "done");
    expect(mailServer.taken).toHaveLength(1);
  });

  test.each([
    ["confirmed", "cancelled", "address_confirmed"],
    ["suppressed", "suppressed", "address_suppressed"],
    ["erased", "cancelled", "user_erased"],
    ["deleted", "cancelled", "no_such_user"],
  ])("is not sent to an address that is %s meanwhile", async (what, state, reason) => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline(delayed(HOUR_MS));
    const { db } = pipeline;
    const signup = aSignup();
    const [eventId = ""] = await pipeline.signUp(signup);
    await aConsumer(pipeline, mailServer);
    await waits(pipeline);
    const ofUser = db.updateTable("users").where("id", "=", signup.userId);
    if (what === "confirmed") await ofUser.set({ email_verified_at: new Date() }).execute();
    if (what === "suppressed") await suppressAddress(db, { addressKey: signup.emailKey, reason: "test", eventId });
    if (what === "erased") await eraseUser(db, signup.userId);
    if (what === "deleted") await db.deleteFrom("users").where("id", "=", signup.userId).execute();
    await delayIsOver(pipeline);
    await eventually(async () => (await stateOf(pipeline, eventId)) === state);
    expect((await pipeline.status(eventId, GROUP))?.reason).toBe(reason);
    await waits(pipeline, 0);
    expect(mailServer.taken).toHaveLength(0);
  });

  test("waits apart from what is late, in the backlog and in the status, and wakes a consumer before it is due", async () => {
    await using pipeline = await aPipeline(delayed(HOUR_MS));
    const [first = ""] = await pipeline.signUp(aSignup());
    await pipeline.signUp(aSignup());
    const dueAt = (await pipeline.status(first, GROUP))?.nextTryAt ?? null;
    expect(await readBacklog(pipeline.db, GROUP)).toEqual({
      unfinished: 0,
      oldestAt: null,
      soon: 0,
      waiting: 2,
      waitsUntil: dueAt,
    });
    expect(await readBacklog(pipeline.db, WELCOME_EMAIL.name)).toMatchObject({
      unfinished: 2,
      waiting: 0,
      waitsUntil: null,
    });
    const { ledger } = await readStatus(anOperator(pipeline));
    expect(ledger.byGroup).toEqual({ [GROUP]: { waiting: 2 }, [WELCOME_EMAIL.name]: { queued: 2 } });
    expect(ledger.waitsUntil).toEqual(dueAt === null ? {} : { [GROUP]: dueAt });

    const soon = new Date(Date.now() + 30_000);
    await pipeline.db
      .updateTable("deliveries")
      .set({ next_try_at: soon, published_at: soon })
      .where("event_id", "=", first)
      .where("group_name", "=", GROUP)
      .execute();
    expect(await readBacklog(pipeline.db, GROUP)).toMatchObject({ unfinished: 1, waiting: 1 });
    await delayIsOver(pipeline);
    expect((await readStatus(anOperator(pipeline))).ledger.byGroup[GROUP]).toEqual({ queued: 2 });
  });
});
