import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { aStranger } from "../../tests/stranger.ts";
import { SERVICE_TOKEN } from "../app-for-tests.ts";
import { anInlet, type Inlet } from "./inlet-for-tests.ts";
import { readJsonReports } from "./json-reports.ts";
import { filled, jsonSample, type Mailed } from "./samples-for-tests.ts";

let inlet: Inlet;
beforeAll(async () => {
  inlet = await anInlet();
});
afterAll(() => inlet.drop());

describe("the JSON of a provider, as docs/mail-identity.md has it", () => {
  test.each(["ses", "sendgrid", "mailgun", "postmark"])("%s: suppressed, once", async (name) => {
    const mailed = await inlet.aMailedSignup();
    const type = name === "ses" ? "text/plain; charset=UTF-8" : "application/json";
    const body = filled(jsonSample(name), mailed);
    const about = { kind: "bounced", code: "5.1.1", event_id: mailed.eventId, group: "welcome-email" };
    expect((await inlet.post(body, type)).items).toEqual([{ result: "recorded", ...about, suppressed: true }]);
    expect((await inlet.post(body, type)).items).toMatchObject([{ result: "repeated" }]);
    expect(await inlet.stepsOf(mailed)).toEqual(["bounced 5.1.1"]);
    expect(await inlet.suppressionOf(mailed)).toBe("bounced 5.1.1");
  });

  test.each([
    ["of an address with a NUL", { email: "x\0y@inbox.example" }],
    ["of an address with half a character", { email: "\ud800@inbox.example" }],
    ["of a Message-ID with a NUL", { "smtp-id": "<x\0y@inbox.example>" }],
    ["of a Message-ID with half a character", { "smtp-id": "<\udfff@inbox.example>" }],
  ])("a report %s is about no mail of ours", async (_, of) => {
    const { status, items } = await inlet.post(
      JSON.stringify([{ event: "bounce", email: "x@y.example", status: "5.1.1", ...of }]),
      "application/json",
    );
    expect(status).toBe(200);
    expect(items).toEqual([{ result: "unmatched", kind: "bounced", code: "5.1.1" }]);
  });

  test("a batch: each item by itself, also several of one delivery", async () => {
    const mailed = await inlet.aMailedSignup();
    const of = (parts: Readonly<Record<string, unknown>>) => ({
      email: mailed.email,
      "smtp-id": mailed.messageId,
      ...parts,
    });
    const batch = [
      of({ event: "deferred", response: "452 4.2.2 full" }),
      of({ event: "open" }),
      of({ event: "bounce", type: "blocked", status: "5.7.1" }),
      of({ event: "spamreport" }),
      { event: "bounce", email: "nobody@elsewhere.example", status: "5.1.1" },
      { something: "else" },
      7,
    ];
    const { items } = await inlet.post(JSON.stringify(batch), "application/json");
    expect(items.map(({ result, kind, suppressed }) => [result, kind, suppressed])).toEqual([
      ["recorded", "delayed", false],
      ["ignored", undefined, undefined],
      ["recorded", "bounced", false],
      ["recorded", "complained", true],
      ["unmatched", "bounced", undefined],
      ["unreadable", undefined, undefined],
      ["unreadable", undefined, undefined],
    ]);
    expect(await inlet.stepsOf(mailed)).toEqual(["delayed 4.2.2", "bounced 5.7.1", "complained"]);
  });

  test("rows that somebody else has locked: the other reports of the batch are recorded at once, these when it is sent again", async () => {
    const [free, locked, other] = [
      await inlet.aMailedSignup(),
      await inlet.aMailedSignup(),
      await inlet.aMailedSignup(),
    ];
    const bounceOf = ({ email, messageId }: Mailed) => ({
      email,
      "smtp-id": messageId,
      event: "bounce",
      status: "5.1.1",
    });
    const complaintOf = (mailed: Mailed) => ({ ...bounceOf(mailed), event: "spamreport" });
    const batch = JSON.stringify([bounceOf(locked), bounceOf(free), complaintOf(locked), bounceOf(other)]);
    {
      await using _ = await aStranger(
        inlet.url,
        `select 1 from deliveries where event_id = '${locked.eventId}' for update`,
        // The address is being suppressed by somebody else: whoever suppresses it too has to wait.
        `insert into suppressions (email_key, reason, event_id) values ('${other.email}', 'by hand', '${other.eventId}')`,
      );
      const { response, status } = await inlet.post(batch, "application/json");
      expect(status).toBe(503);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
      expect(await inlet.stepsOf(free)).toEqual(["bounced 5.1.1"]);
      expect(await inlet.suppressionOf(free)).toBe("bounced 5.1.1");
      expect(await inlet.stepsOf(locked)).toEqual([]);
    }
    const { items } = await inlet.post(batch, "application/json");
    expect(items.map(({ result }) => result)).toEqual(["recorded", "repeated", "recorded", "recorded"]);
    expect(await inlet.stepsOf(locked)).toEqual(["bounced 5.1.1", "complained 5.1.1"]);
    expect(await inlet.stepsOf(other)).toEqual(["bounced 5.1.1"]);
  });

  test("a subscription of SNS is not confirmed by us, and only an address of SNS is logged", async () => {
    const ofSns = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x";
    for (const [url, expected] of [
      [ofSns, ofSns],
      ["https://sns.evil.example/?Action=ConfirmSubscription", undefined],
    ] as const) {
      const asked = {
        Type: "SubscriptionConfirmation",
        TopicArn: "arn:aws:sns:eu-west-1:1:t",
        Message: "You have chosen",
      };
      const items = readJsonReports({ ...asked, SubscribeURL: url, Token: "x" });
      expect(items).toEqual([{ kind: "subscription", topic: asked.TopicArn, url: expected }]);
      const body = JSON.stringify({ ...asked, SubscribeURL: url });
      expect((await inlet.post(body, "text/plain")).items).toEqual([{ result: "subscription" }]);
    }
  });
});

describe("the inlet", () => {
  test("takes the service token, also as a password, and nothing else", async () => {
    const basic = (password: string) => `Basic ${Buffer.from(`bounces:${password}`).toString("base64")}`;
    expect((await inlet.post("[]", "application/json", inlet.theApp(), basic(SERVICE_TOKEN))).status).toBe(200);
    for (const authorization of ["", "Bearer wrong", basic("wrong"), basic("")]) {
      const { status, response } = await inlet.post("[]", "application/json", inlet.theApp(), authorization);
      expect(status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("Basic realm=");
    }
    expect(
      (await inlet.post("[]", "application/json", inlet.theApp({ SERVICE_TOKEN: "another-token-of-tests" }))).status,
    ).toBe(401);
  });

  test("is bounded: 413, 415, 400", async () => {
    expect((await inlet.post("x".repeat(1_100_000))).status).toBe(413);
    expect(
      (await inlet.post(JSON.stringify(Array.from({ length: 1_001 }, () => ({}))), "application/json")).status,
    ).toBe(413);
    const bouncedRecipients = Array.from({ length: 1_001 }, (_, index) => ({ emailAddress: `${index}@inbox.example` }));
    const ofSes = { notificationType: "Bounce", mail: {}, bounce: { bounceType: "Permanent", bouncedRecipients } };
    const bySns = { Type: "Notification", TopicArn: "arn:aws:sns:eu-west-1:1:t", Message: JSON.stringify(ofSes) };
    for (const body of [ofSes, bySns, [{}, ofSes]]) {
      expect((await inlet.post(JSON.stringify(body), "application/json")).status).toBe(413);
    }
    const inText = JSON.stringify({ ...ofSes, bounce: undefined }).replace(
      /}$/,
      `,"x":${"[".repeat(40)}${"]".repeat(40)}}`,
    );
    const tooDeep = JSON.stringify({ ...bySns, Message: inText });
    expect((await inlet.post(tooDeep, "application/json")).items).toEqual([{ result: "unreadable" }]);
    expect((await inlet.post("a=b", "application/x-www-form-urlencoded")).status).toBe(415);
    const deep = `{"event":"bounce","email":"a@b.example","x":${"[".repeat(400_000)}${"]".repeat(400_000)}}`;
    for (const body of ["{", deep, `[{},${"0,".repeat(100_001)}0]`]) {
      expect((await inlet.post(body, "application/json")).status).toBe(400);
    }
  });
});
