import { expect, test } from "bun:test";
import { disclosureOf } from "../api/signup/disclosure.ts";
import { factory } from "../consumers/notice-email/group.ts";
import type { TimelineStep } from "../database/ledger/timeline.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { pause } from "../runtime/loop.ts";
import { boundGroups, NOTICE_EMAIL } from "../stream/groups.ts";
import { publishAll } from "../stream/publish.ts";
import { eventually } from "./eventually.ts";
import { type MailServer, parseMail, startMailServer } from "./mail-server.ts";
import { mailSettings } from "./mail-settings.ts";
import { aPipeline, aSignup, committedEvent, silentLog } from "./pipeline.ts";

const MAIL_TAKES_MS = 300;

/** From its claim to its end. */
const tookMs = (timeline: readonly TimelineStep[] = []): number => {
  const [began, ended] = ["active", "done"].map((wanted) => timeline.find(({ state }) => state === wanted)?.at ?? "");
  return Date.parse(ended ?? "") - Date.parse(began ?? "");
};

/** A group of notices, and somebody who signed up long ago, whose address others sign up with. */
const aNoticed = async (mailServer: MailServer, caps: Readonly<Record<string, string>> = {}) => {
  const pipeline = await aPipeline([NOTICE_EMAIL]);
  const settings = mailSettings(pipeline, mailServer, { PUBLIC_URL: "https://signup.example", ...caps });
  await pipeline.open((db) => factory.open(NOTICE_EMAIL, { settings, db, log: silentLog }));
  const disclosure = disclosureOf({ SIGNUP_DISCLOSURE: "private" });
  const signups = createSignupWriter(pipeline.db, boundGroups(pipeline.groups), disclosure);
  const owner = aSignup({ locale: "en" });
  await signups.write(owner);
  await pipeline.db
    .updateTable("users")
    .set({ created_at: new Date(0) })
    .execute();
  const status = (eventId: string) => pipeline.status(eventId, NOTICE_EMAIL.name);
  return {
    status,
    /** The event of the repetition, whose delivery is in this state by now. */
    async signUpAgain(state: string): Promise<string> {
      const repeated = aSignup({ email: owner.email, emailKey: owner.emailKey });
      const result = await signups.write(repeated);
      if (result.kind !== "created" || result.event === undefined) throw new Error(result.kind);
      await publishAll(pipeline.redis, pipeline.keys.events, [
        { ...committedEvent(repeated), ...result.event, created_at: result.createdAt },
      ]);
      const { eventId } = repeated.event;
      await eventually(async () => (await status(eventId))?.state === state);
      return eventId;
    },
    [Symbol.asyncDispose]: () => pipeline[Symbol.asyncDispose](),
  };
};

test("the owner of an address gets one notice of repeated signups, in their language and without a link to confirm; the others take as long", async () => {
  await using mailServer = await startMailServer({ beforeReply: () => pause(MAIL_TAKES_MS) });
  await using noticed = await aNoticed(mailServer);
  const eventIds = [await noticed.signUpAgain("done"), await noticed.signUpAgain("done")];
  for (const eventId of eventIds) {
    const timeline = (await noticed.status(eventId))?.timeline;
    expect(timeline?.map(({ state }) => state)).toEqual(["queued", "active", "done"]);
    expect(tookMs(timeline)).toBeGreaterThanOrEqual(MAIL_TAKES_MS - 1);
  }
  expect(mailServer.taken).toHaveLength(1);
  const mail = await parseMail(mailServer.taken[0]?.raw ?? "");
  expect(mail.subject).toBe("Somebody signed up for Toblug with your email address");
  expect(mail.text).toContain("https://signup.example");
  expect(mail.text).not.toContain("token=");
  expect(mail.messageId).toBe(`<${eventIds[0]}.notice@toblug.example>`);
});

test("without a notice it is held by a cap as a mail would be: else its status would tell of signups within the hour", async () => {
  await using mailServer = await startMailServer();
  await using noticed = await aNoticed(mailServer, { MAIL_CAP_PER_DOMAIN: "1" });
  await noticed.signUpAgain("done");
  const eventId = await noticed.signUpAgain("held");
  expect(await noticed.status(eventId)).toMatchObject({ reason: "domain_cap" });
  expect(mailServer.taken).toHaveLength(1);
});
