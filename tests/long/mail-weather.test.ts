import { describe, expect, test } from "bun:test";
import { factory } from "../../consumers/welcome-email/group.ts";
import type { DeliveryStatus } from "../../database/ledger/status.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../eventually.ts";
import { type MailServer, type MailServerOptions, refusal, startMailServer } from "../mail-server.ts";
import { mailSettings } from "../mail-settings.ts";
import { aPipeline, aSignup, type Pipeline, silentLog, type TestConsumer } from "../pipeline.ts";

/** A consumer of the welcome mail as it is shipped, with short delays. */
const aConsumer = (
  pipeline: Pipeline,
  mailServer: MailServer,
  more: Readonly<Record<string, string>> = {},
): Promise<TestConsumer> => {
  const settings = mailSettings(pipeline, mailServer, more);
  return pipeline.open((db) => factory.open(WELCOME_EMAIL, { settings, db, log: silentLog }));
};

type Answer = string | undefined;

/** A mail server that answers RCPT TO of an address as asked: `550 5.7.1 blocked`; undefined: accepts it. */
const answering = (answerTo: (address: string) => Answer, more: MailServerOptions = {}): Promise<MailServer> =>
  startMailServer({
    ...more,
    onRcptTo: ({ address }, _session, done) => {
      const answer = answerTo(address);
      if (answer === undefined) return done();
      done(Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) }));
    },
  });

const signUps = (pipeline: Pipeline, count: number, addressOf: (n: number) => string) =>
  pipeline.signUp(...Array.from({ length: count }, (_, n) => aSignup({ email: addressOf(n) })));

/** Some at a time: those that wait for a connection for too long would fail. */
const statesOf = async (pipeline: Pipeline, eventIds: readonly string[]): Promise<readonly DeliveryStatus[]> => {
  const states: DeliveryStatus[] = [];
  for (let from = 0; from < eventIds.length; from += 50) {
    const some = await Promise.all(eventIds.slice(from, from + 50).map((eventId) => pipeline.status(eventId)));
    states.push(...some.flatMap((status) => status ?? []));
  }
  return states;
};

const areSent = (pipeline: Pipeline, eventIds: readonly string[]) =>
  eventually(async () => (await statesOf(pipeline, eventIds)).every(({ state }) => state === "done"), 20_000);

const deadOf = async (pipeline: Pipeline, eventIds: readonly string[]) =>
  (await statesOf(pipeline, eventIds)).filter(({ state }) => state === "dead");

describe("recipients that are refused", () => {
  test.each([
    ["421 4.7.0 try again later", 60, (n: number) => `no-${n}@inbox.example`],
    ["550 5.7.1 blocked", 200, (n: number) => `no-${n}@domain-${n}.example`],
    ["421 4.7.0 try again later", 2_000, (n: number) => `no-${n}@domain-${n}.example`],
    ["550 5.7.1 blocked", 1_500, (n: number) => `no-${n}@domain-${n}.example`],
  ] as const)("%s: mail for others, behind them, is sent at once", async (answer, count, addressOf) => {
    await using mailServer = await answering((address) => (address.startsWith("no-") ? answer : undefined));
    await using pipeline = await aPipeline();
    const refused = await signUps(pipeline, count, addressOf);
    const good = await signUps(pipeline, 30, (n) => `yes-${n}@inbox.example`);
    await aConsumer(pipeline, mailServer);
    await areSent(pipeline, good);
    expect(await deadOf(pipeline, refused)).toEqual([]);
    for (const { attempts } of await statesOf(pipeline, good)) expect(attempts).toBe(1);
  });
});

describe("recipients that are refused slowly, each of a domain of its own, after a second", () => {
  const isBehind = (n: number) => n >= 1_500;
  const isAmong = (n: number) => n % 2 === 1;
  test.each([
    ["behind 1,500 of them", 2_000, isBehind],
    ["among 500 of them", 1_000, isAmong],
  ] as const)(
    "mail for others, %s, is sent when less than half of them have been asked for",
    async (_where, count, isGood) => {
      let asked = 0;
      await using mailServer = await startMailServer({
        onRcptTo: async ({ address }, _session, done) => {
          if (!address.startsWith("no-")) return done();
          asked += 1;
          await Bun.sleep(1_000);
          done(refusal(550, "5.7.1 blocked"));
        },
      });
      await using pipeline = await aPipeline();
      const all = Array.from({ length: count }, (_, n) =>
        isGood(n) ? `yes-${n}@inbox.example` : `no-${n}@domain-${n}.example`,
      );
      const eventIds = await signUps(pipeline, count, (n) => all[n] ?? "");
      await aConsumer(pipeline, mailServer);
      await eventually(() => mailServer.taken.length >= all.filter((_, n) => isGood(n)).length, 60_000);
      expect(asked).toBeLessThan(all.filter((_, n) => !isGood(n)).length / 2);
      const good = eventIds.filter((_, n) => isGood(n));
      await areSent(pipeline, good);
      for (const { attempts } of await statesOf(pipeline, good)) expect(attempts).toBe(1);
    },
  );
});

describe("recipients about whom the server is silent", () => {
  test("at RCPT TO: mail for others, behind as many of them as there are connections twice, is sent meanwhile", async () => {
    await using mailServer = await startMailServer({
      onRcptTo: ({ address }, _session, done) => {
        if (!address.startsWith("no-")) done();
      },
    });
    await using pipeline = await aPipeline();
    const silent = await signUps(pipeline, 40, (n) => `no-${n}@domain-${n}.example`);
    const good = await signUps(pipeline, 60, (n) => `yes-${n}@inbox.example`);
    const consumer = await aConsumer(pipeline, mailServer);
    await areSent(pipeline, good);
    expect(consumer.breaker()).toBe("closed");
    for (const { attempts } of await statesOf(pipeline, silent)) expect(attempts).toBe(0);
  });
});

describe("a mail server that defers everything", () => {
  test.each(["451 4.3.0 system not accepting mail", "450 4.7.1 try again later"])(
    "%s: no mail is dead for it, whatever its attempts; then all are sent",
    async (answer) => {
      let isDeferring = true;
      await using mailServer = await answering(() => (isDeferring ? answer : undefined));
      await using pipeline = await aPipeline();
      const eventIds = await signUps(pipeline, 20, (n) => `person-${n}@domain-${n}.example`);
      await aConsumer(pipeline, mailServer, { RETRY_MAX: "1", RETRY_DELAY_MS: "20", RETRY_GREYLIST_MS: "20" });
      await eventually(async () =>
        (await statesOf(pipeline, eventIds)).every(
          ({ timeline }) => timeline.filter(({ state }) => state === "retrying").length > 2,
        ),
      );
      expect(await deadOf(pipeline, eventIds)).toEqual([]);
      isDeferring = false;
      await areSent(pipeline, eventIds);
    },
  );
});

describe("a refusal by policy", () => {
  test("of everything: no mail is dead, not even those in flight; the breaker opens, and all are sent afterwards", async () => {
    let isRefusing = true;
    await using mailServer = await startMailServer({
      beforeReply: async () => {
        if (!isRefusing) return;
        // All that are in flight are answered after the first ones.
        await Bun.sleep(50);
        throw Object.assign(new Error("5.7.1 account suspended"), { responseCode: 550 });
      },
    });
    await using pipeline = await aPipeline();
    const eventIds = await signUps(pipeline, 120, (n) => `person-${n}@domain-${n % 30}.example`);
    const consumer = await aConsumer(pipeline, mailServer, { RETRY_DELAY_MS: "500" });
    await eventually(() => consumer.breaker() === "open");
    expect(await deadOf(pipeline, eventIds)).toEqual([]);
    isRefusing = false;
    await areSent(pipeline, eventIds);
  });

  test("by one domain of all its mail: none is dead, its mail is held or waits, few are tried, others are sent", async () => {
    let tries = 0;
    await using mailServer = await answering((address) => {
      if (!address.endsWith("@shut.example")) return undefined;
      tries += 1;
      return "550 5.7.1 we want no mail of yours";
    });
    await using pipeline = await aPipeline();
    const refused = await signUps(pipeline, 100, (n) => `person-${n}@shut.example`);
    const good = await signUps(pipeline, 20, (n) => `person-${n}@inbox.example`);
    const consumer = await aConsumer(pipeline, mailServer, { RETRY_DELAY_MS: "500" });
    await areSent(pipeline, good);
    await eventually(async () => (await statesOf(pipeline, refused)).every(({ state }) => state !== "queued"));
    expect(await deadOf(pipeline, refused)).toEqual([]);
    expect(consumer.waitingParties()).toBe(1);
    expect(tries).toBeLessThan(60);
    const held = (await statesOf(pipeline, refused)).filter(({ state }) => state === "held");
    expect(held.length).toBeGreaterThan(0);
    expect(held[0]).toMatchObject({ reason: "party_refuses", attempts: 1 });
  });
});

test("a mail server that grants three connections of twenty: all are sent at the first attempt, and the breaker stays closed", async () => {
  await using mailServer = await startMailServer({ maxClients: 3, beforeReply: () => Bun.sleep(20) });
  await using pipeline = await aPipeline();
  const eventIds = await signUps(pipeline, 60, (n) => `person-${n}@inbox.example`);
  const consumer = await aConsumer(pipeline, mailServer);
  await areSent(pipeline, eventIds);
  expect(consumer.breaker()).toBe("closed");
  expect(consumer.granted()).toMatchObject({ words: expect.stringContaining("Too many connected clients") });
  for (const { attempts, timeline } of await statesOf(pipeline, eventIds)) {
    expect(attempts).toBe(1);
    expect(timeline.map(({ state }) => state)).toEqual(["queued", "active", "done"]);
  }
});
