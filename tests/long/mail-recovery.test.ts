import { expect, test } from "bun:test";
import { factory } from "../../consumers/welcome-email/group.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../eventually.ts";
import { type MailServer, refusal, startMailServer } from "../mail-server.ts";
import { mailSettings } from "../mail-settings.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "../pipeline.ts";

/** A consumer of the welcome mail as it is shipped, with its own delays: five minutes where it is told to come back. */
const aConsumer = (pipeline: Pipeline, mailServer: MailServer) =>
  pipeline.open((db) =>
    factory.open(WELCOME_EMAIL, { settings: mailSettings(pipeline, mailServer), db, log: silentLog }),
  );

/** A mail server that defers whom it is asked to, and counts how often it was asked about each. */
const deferring = async (isDeferred: (address: string) => boolean) => {
  const asked = new Map<string, number>();
  const mailServer = await startMailServer({
    onRcptTo: ({ address }, _session, done) => {
      asked.set(address, (asked.get(address) ?? 0) + 1);
      done(isDeferred(address) ? refusal(451, "4.7.1 try again later") : undefined);
    },
  });
  return { mailServer, asked };
};

const signUps = (pipeline: Pipeline, count: number, addressOf: (n: number) => string) =>
  pipeline.signUp(...Array.from({ length: count }, (_, n) => aSignup({ email: addressOf(n) })));

const areIn = (pipeline: Pipeline, eventIds: readonly string[], state: string, ms = 30_000) =>
  eventually(async () => {
    const states = await Promise.all(eventIds.map((eventId) => pipeline.status(eventId)));
    return states.every((status) => status?.state === state);
  }, ms);

test.each([
  ["and others are accepted", true],
  ["and nobody else signs up", false],
])(
  "what was declined as everything was is sent soon after the server is well, %s, without an attempt",
  async (_, isBusy) => {
    let isWell = false;
    const { mailServer } = await deferring(() => !isWell);
    await using _server = mailServer;
    await using pipeline = await aPipeline();
    const consumer = await aConsumer(pipeline, mailServer);
    const declined = await signUps(pipeline, 60, (n) => `person-${n}@domain-${n}.example`);
    await areIn(pipeline, declined, "retrying");
    isWell = true;
    if (isBusy) await areIn(pipeline, await signUps(pipeline, 1, () => "later@domain-1.example"), "done");
    await areIn(pipeline, declined, "done");
    const attempts = await Promise.all(declined.map(async (id) => (await pipeline.status(id))?.attempts ?? 0));
    // The first few, before it is known that everything is declined.
    expect(attempts.filter((count) => count > 1).length).toBeLessThan(5);
    expect(consumer.breaker()).toBe("closed");
  },
);

test("what one domain, or a new recipient, is told to come back for keeps its delay, whatever else is declined and accepted", async () => {
  let isWell = false;
  const { mailServer, asked } = await deferring((address) => !isWell || address.endsWith("@greylisting.example"));
  await using _server = mailServer;
  await using pipeline = await aPipeline();
  await aConsumer(pipeline, mailServer);
  const early = await signUps(pipeline, 1, () => "early@greylisting.example");
  await areIn(pipeline, early, "retrying");
  isWell = true;
  await areIn(pipeline, await signUps(pipeline, 1, () => "good@domain-0.example"), "done");
  isWell = false;
  const declined = await signUps(pipeline, 40, (n) => `person-${n}@domain-${n}.example`);
  await areIn(pipeline, declined, "retrying");
  isWell = true;
  await areIn(pipeline, await signUps(pipeline, 1, () => "later@domain-1.example"), "done");
  await areIn(pipeline, declined, "done");
  const late = await signUps(pipeline, 1, () => "late@greylisting.example");
  await areIn(pipeline, late, "retrying");
  await areIn(pipeline, await signUps(pipeline, 20, (n) => `more-${n}@domain-${n}.example`), "done");
  expect(asked.get("early@greylisting.example")).toBe(1);
  expect(asked.get("late@greylisting.example")).toBe(1);
});
