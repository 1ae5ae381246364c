import { describe, expect, test } from "bun:test";
import type { GroupFactory } from "../../consumers/engine/factory.ts";
import { factory as reminder } from "../../consumers/reminder-email/group.ts";
import { factory } from "../../consumers/welcome-email/group.ts";
import { untilReady } from "../../stream/connection.ts";
import { type Group, REMINDER_EMAIL, WELCOME_EMAIL } from "../../stream/groups.ts";
import { takeBudget } from "../../stream/scripts/take-budget.ts";
import { eventually } from "../eventually.ts";
import { type MailServer, startMailServer } from "../mail-server.ts";
import { mailSettings } from "../mail-settings.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "../pipeline.ts";

/** A consumer as it is shipped, with a rate; of the welcome mail if no group is named. */
const aConsumer = (
  pipeline: Pipeline,
  mailServer: MailServer,
  rate: Readonly<Record<string, string>>,
  [group, made]: readonly [Group, GroupFactory] = [WELCOME_EMAIL, factory],
) => {
  const settings = mailSettings(pipeline, mailServer, rate);
  return pipeline.open((db) => made.open(group, { settings, db, log: silentLog }));
};

const signups = (count: number) => Array.from({ length: count }, () => aSignup());

const attemptsOf = async (pipeline: Pipeline, eventIds: readonly string[]) =>
  (await Promise.all(eventIds.map((eventId) => pipeline.status(eventId)))).map((delivery) => delivery?.attempts);

describe.concurrent("the rate of all mail", () => {
  test("a second: three consumers together keep to it, send everything, and use one attempt for each", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline();
    const eventIds = await pipeline.signUp(...signups(60));
    const startedAt = performance.now();
    for (let n = 0; n < 3; n += 1) await aConsumer(pipeline, mailServer, { MAIL_RATE_PER_SECOND: "20" });
    await eventually(() => mailServer.taken.length === 60, 20_000);
    // The bucket holds ten at the start; the other fifty come at twenty a second.
    expect(performance.now() - startedAt).toBeGreaterThan(2_400);
    await eventually(async () => (await attemptsOf(pipeline, eventIds)).every((attempts) => attempts === 1));
  });

  test("a day: all of it is used, and what is left stays in the streams, untouched", async () => {
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline();
    const consumers = [];
    for (let n = 0; n < 3; n += 1) {
      consumers.push(await aConsumer(pipeline, mailServer, { MAIL_RATE_PER_DAY: "10" }));
    }
    const eventIds = await pipeline.signUp(...signups(20));
    await eventually(() => mailServer.taken.length === 10, 20_000);
    await eventually(async () => {
      const statuses = await Promise.all(eventIds.map((eventId) => pipeline.status(eventId)));
      return statuses.filter((delivery) => delivery?.state === "done").length === 10;
    });
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(mailServer.taken).toHaveLength(10);
    const left = (await Promise.all(eventIds.map((eventId) => pipeline.status(eventId)))).filter(
      (delivery) => delivery?.state !== "done",
    );
    expect(left.map((delivery) => [delivery?.state, delivery?.attempts])).toEqual(Array(10).fill(["queued", 0]));

    // More budget: they are sent.
    await aConsumer(pipeline, mailServer, { MAIL_RATE_PER_DAY: "20" });
    await eventually(() => mailServer.taken.length === 20, 20_000);
  });

  test("is lowered when the mail server says that it is too fast; the mails are sent, and no attempt is used up", async () => {
    let refusals = 0;
    await using mailServer = await startMailServer({
      onRcptTo: (_address, _session, done) => {
        refusals -= 1;
        if (refusals < 0) return done();
        done(Object.assign(new Error("4.7.0 sending rate exceeded"), { responseCode: 451 }));
      },
    });
    await using pipeline = await aPipeline();
    const consumer = await aConsumer(pipeline, mailServer, { MAIL_RATE_PER_SECOND: "100", RETRY_DELAY_MS: "50" });
    // What the server takes is measured: after a refusal, the connections go on at that.
    const first = await pipeline.signUp(...signups(5));
    await eventually(() => mailServer.taken.length === 5);
    refusals = 3;
    const eventIds = [...first, ...(await pipeline.signUp(...signups(5)))];
    await eventually(() => mailServer.taken.length === 10, 20_000);
    expect(consumer.ratePerSecond()).toBeLessThan(60);
    await eventually(async () => (await attemptsOf(pipeline, eventIds)).every((attempts) => attempts === 1));
  });

  test("that is too small for all: the last of a day is for welcome mails; with more, reminders follow", async () => {
    await using mailServer = await startMailServer();
    const reminders = { ...REMINDER_EMAIL, delayMs: 0 };
    await using pipeline = await aPipeline([WELCOME_EMAIL, reminders]);
    const { redis, keys } = pipeline;
    const names = { budget: keys.budget("mail"), consumers: keys.budgetConsumers("mail") };
    const limits = { perSecond: 0, perDay: 60 };
    // Another consumer has used nine tenths of the day.
    expect(await takeBudget(redis, names, limits, { consumer: "another", priority: 0, wanted: 54 })).toMatchObject({
      granted: 54,
    });
    await pipeline.signUp(...signups(20));
    const startBoth = async (rate: Readonly<Record<string, string>>) => {
      const reminding = await aConsumer(pipeline, mailServer, rate, [reminders, reminder]);
      // It asks first, and still does not get what is left.
      await eventually(async () => (await redis.zrange(names.consumers, 0, "-1")).join().includes(reminders.name));
      return [reminding, await aConsumer(pipeline, mailServer, rate)];
    };
    const welcomes = () => mailServer.taken.filter(({ raw }) => /^Message-ID: <\S+\.welcome@/m.test(raw)).length;

    const consumers = await startBoth({ MAIL_RATE_PER_DAY: "60" });
    await eventually(() => mailServer.taken.length === 6);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect([mailServer.taken.length, welcomes()]).toEqual([6, 6]);

    await startBoth({ MAIL_RATE_PER_DAY: "600" });
    await eventually(() => mailServer.taken.length === 40, 20_000);
    expect(welcomes()).toBe(20);
  });

  test("holds while Redis is away, and while it has no budget; nothing is lost, and nothing is sent twice", async () => {
    await using ownRedis = await anOwnRedis();
    await using mailServer = await startMailServer();
    await using pipeline = await aPipeline([WELCOME_EMAIL], undefined, ownRedis.url);
    const { redis, keys } = pipeline;
    const eventIds = await pipeline.signUp(...signups(60));
    const startedAt = performance.now();
    for (let n = 0; n < 3; n += 1) await aConsumer(pipeline, mailServer, { MAIL_RATE_PER_SECOND: "20" });
    await eventually(() => mailServer.taken.length >= 15, 20_000);

    await ownRedis.kill();
    const awayMs = 2_000;
    await Bun.sleep(awayMs);
    const sentWithoutRedis = mailServer.taken.length;
    await ownRedis.start();
    await eventually(() => mailServer.taken.length >= sentWithoutRedis + 10, 20_000);
    // What reads entries works, the budget does not: each consumer keeps to its share.
    await untilReady(redis, 20_000);
    await redis.set(keys.budget("mail"), "not a budget");

    await eventually(() => mailServer.taken.length === 60, 20_000);
    // The bucket holds ten, at the start and when Redis is back; each consumer, a slice of two, and one token of its share. What
    // Redis did not grant beyond that is not made up for.
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(awayMs + ((60 - 2 * 10 - 3 * 3) * 1_000) / 20);
    await eventually(async () => {
      const statuses = await Promise.all(eventIds.map((eventId) => pipeline.status(eventId)));
      return statuses.every((delivery) => delivery?.state === "done" && delivery.attempts === 1);
    });
    expect(mailServer.taken).toHaveLength(60);
    expect(eventIds.filter((eventId) => mailServer.copiesOf(eventId) !== 1)).toEqual([]);
  });
});
