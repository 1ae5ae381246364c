import { describe, expect, test } from "bun:test";
import { startReleaser } from "../api/background/releaser.ts";
import { factory as reminders } from "../consumers/reminder-email/group.ts";
import { factory as welcomes } from "../consumers/welcome-email/group.ts";
import { comparisonKey } from "../database/comparison-key.ts";
import { countLedger } from "../database/ledger/counts.ts";
import { answerOf, textOf } from "../ops/operator-for-tests.ts";
import { groupsOf, REMINDER_EMAIL, WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { type MailServer, startMailServer } from "./mail-server.ts";
import { mailSettings } from "./mail-settings.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "./pipeline.ts";

const CAP = 20;
const HOUR_MS = 3_600_000;

const settingsOf = (pipeline: Pipeline, mailServer: MailServer, caps: Readonly<Record<string, string>> = {}) =>
  mailSettings(pipeline, mailServer, { MAIL_CAP_PER_RECIPIENT: String(CAP), ...caps });

const signupsTo = (emails: readonly string[]) =>
  emails.map((email) => aSignup({ email, emailKey: comparisonKey(email) }));

/** 60 spellings of one mailbox. */
const SPELLINGS = [
  ...Array.from({ length: 30 }, (_, n) => `victim+${n}@gmail.com`),
  ...Array.from({ length: 29 }, (_, n) => `v${".".repeat(n % 2)}i${".".repeat((n >> 1) % 2)}ctim+d${n}@GMAIL.com`),
  "v.i.c.t.i.m@googlemail.com",
];

const statesOf = async ({ db }: Pipeline, group: string = WELCOME_EMAIL.name) => {
  const rows = await db
    .selectFrom("deliveries")
    .select(["state", "reason", (all) => all.fn.countAll<string>().as("count")])
    .where("group_name", "=", group)
    .groupBy(["state", "reason"])
    .execute();
  return Object.fromEntries(rows.map(({ state, reason, count }) => [reason ?? state, Number(count)]));
};

/** As if all of it had happened an hour earlier: in the ledger and in Redis. */
const letAnHourPass = async ({ db, redis, streamName }: Pipeline): Promise<void> => {
  for (const key of await redis.keys(`{${streamName}}:quota-refused:*`)) await redis.del(key);
  // In an hour a single piece has expired; where there are more, the sorted set has them.
  for (const key of await redis.keys(`{${streamName}}:quota-only:*`))
    if ((await redis.get(key)) !== "*") await redis.del(key);
  for (const key of await redis.keys(`{${streamName}}:quota:*`)) {
    const members = await redis.zrange(key, "0", "-1", "WITHSCORES");
    for (let at = 0; at + 1 < members.length; at += 2) {
      await redis.zadd(key, Number(members[at + 1]) - HOUR_MS, members[at] ?? "");
    }
  }
  const held = await db
    .selectFrom("deliveries")
    .select(["event_id", "next_try_at"])
    .where("state", "=", "held")
    .execute();
  for (const { event_id, next_try_at } of held) {
    const earlier = new Date((next_try_at?.getTime() ?? 0) - HOUR_MS);
    await db.updateTable("deliveries").set({ next_try_at: earlier }).where("event_id", "=", event_id).execute();
  }
};

describe.concurrent("the cap on mails to one mailbox", () => {
  test("holds what is above, however it is spelled, and releases it hour by hour: each mail is sent once", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline();
    const { db, redis, keys, groups } = pipeline;
    const settings = settingsOf(pipeline, mailServer);
    // Two consumers, which count together.
    for (let n = 0; n < 2; n += 1) {
      await pipeline.open((own) => welcomes.open(WELCOME_EMAIL, { settings, db: own, log: silentLog }));
    }
    await pipeline.signUp(...signupsTo([...SPELLINGS, "somebody.else@gmail.com"]));
    await eventually(async () => (await statesOf(pipeline))["recipient_cap"] === 60 - CAP);
    await eventually(async () => (await statesOf(pipeline))["done"] === CAP + 1);
    expect(mailServer.taken).toHaveLength(CAP + 1);
    expect(await textOf(pipeline, "status")).toMatch(/held: 40 recipient_cap \(the first until /);
    expect(await textOf(pipeline, "held", "list")).toContain("recipient_cap");
    expect((await countLedger(db)).held).toMatchObject([{ reason: "recipient_cap", count: 60 - CAP }]);

    await using _one = startReleaser({ db, redis, keys, groups, log: silentLog }, { everyMs: 20 });
    await using _two = startReleaser({ db, redis, keys, groups, log: silentLog }, { everyMs: 20 });
    for (const hour of [1, 2]) {
      await letAnHourPass(pipeline);
      await eventually(async () => (await statesOf(pipeline))["done"] === (hour + 1) * CAP + 1);
      expect((await statesOf(pipeline))["recipient_cap"] ?? 0).toBe(60 - (hour + 1) * CAP);
    }
    const ids = mailServer.taken.map(({ raw }) => /^Message-ID: (.+)$/im.exec(raw)?.[1]);
    expect(ids).toHaveLength(61);
    expect(new Set(ids).size).toBe(61);
  });

  test("is one for all groups, and an operator's release goes beyond it", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline(
      groupsOf({ receivers: [], REMINDER_DELAY_MS: 0 }, [WELCOME_EMAIL, REMINDER_EMAIL]),
    );
    const settings = settingsOf(pipeline, mailServer, { MAIL_CAP_PER_RECIPIENT: "1" });
    const welcome = await pipeline.open((db) => welcomes.open(WELCOME_EMAIL, { settings, db, log: silentLog }));
    const [eventId = ""] = await pipeline.signUp(...signupsTo(["mai@inbox.example"]));
    await eventually(async () => (await statesOf(pipeline))["done"] === 1);
    await welcome.stop();
    const reminder = pipeline.groups.find(({ name }) => name === REMINDER_EMAIL.name) ?? REMINDER_EMAIL;
    await pipeline.open((db) => reminders.open(reminder, { settings, db, log: silentLog }));
    await eventually(async () => (await statesOf(pipeline, reminder.name))["recipient_cap"] === 1);
    expect(await pipeline.status(eventId, reminder.name)).toMatchObject({ state: "held", attempts: 0 });
    await answerOf(pipeline, "held", "release", eventId);
    await eventually(async () => (await statesOf(pipeline, reminder.name))["done"] === 1);
    expect(mailServer.taken).toHaveLength(2);
  });

  test("is off at 0, and a domain has one of its own", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline();
    const settings = settingsOf(pipeline, mailServer, { MAIL_CAP_PER_RECIPIENT: "0", MAIL_CAP_PER_DOMAIN: "5" });
    await pipeline.open((db) => welcomes.open(WELCOME_EMAIL, { settings, db, log: silentLog }));
    await pipeline.signUp(...signupsTo([...SPELLINGS.slice(0, 8), "mai@other.example"]));
    await eventually(async () => (await statesOf(pipeline))["domain_cap"] === 3);
    await eventually(async () => (await statesOf(pipeline))["done"] === 6);
  });

  test("holds nothing while Redis cannot count: it is full, or what counts is in the way", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline();
    const settings = settingsOf(pipeline, mailServer, { MAIL_CAP_PER_RECIPIENT: "1" });
    await pipeline.open((db) => welcomes.open(WELCOME_EMAIL, { settings, db, log: silentLog }));
    await pipeline.signUp(...signupsTo(["mai@inbox.example"]));
    await eventually(async () => (await statesOf(pipeline))["done"] === 1);
    const [only = ""] = await pipeline.redis.keys(`{${pipeline.streamName}}:quota-only:*`);
    await pipeline.redis.del(only);
    await pipeline.redis.lpush(only, "in the way");
    await pipeline.signUp(...signupsTo(["mai+1@inbox.example"]));
    await eventually(async () => (await statesOf(pipeline))["done"] === 2);
  });
});
