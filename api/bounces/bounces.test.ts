import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { returnPath } from "../../database/bounces/return-path.ts";
import { createConfirmationKey } from "../../database/users/confirmation-key.ts";
import { liftSuppression, listSuppressions } from "../../database/users/suppressions.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aStranger } from "../../tests/stranger.ts";
import type { AppDeps } from "../app.ts";
import { aBody, anApp, postSignup, SERVICE_TOKEN, TEST_SETTINGS } from "../app-for-tests.ts";
import { readJsonReports } from "./json-reports.ts";
import { filled, jsonSample, type Mailed, mailSample } from "./samples-for-tests.ts";

const ADDRESS = "bounces@toblug.example";

let database: TestDatabase;
let key: Buffer;
beforeAll(async () => {
  database = await withTestDatabase();
  key = await createConfirmationKey(database.db, undefined)();
});
afterAll(() => database.drop());

const theApp = (settings: Partial<AppDeps["settings"]> = {}) =>
  anApp(database.db, { settings: { ...TEST_SETTINGS, ...settings } }).app;

/** A signup whose welcome mail was accepted by a mail server. */
const aMailedSignup = async (): Promise<Mailed> => {
  const email = `u${Bun.randomUUIDv7().replaceAll("-", "")}@inbox.example`;
  const response = await theApp().fetch(postSignup(aBody({ email })));
  const { welcome_email: mail }: { welcome_email: { event_id: string } } = await response.json();
  const eventId = mail.event_id;
  const messageId = `<${eventId}.welcome@toblug.example>`;
  await database.db
    .updateTable("deliveries")
    .set({ state: "done", receipt: messageId })
    .where("event_id", "=", eventId)
    .where("group_name", "=", "welcome-email")
    .execute();
  return { eventId, email, messageId, token: returnPath(key, ADDRESS, { eventId, group: "welcome-email" }) };
};

const BEARER = `Bearer ${SERVICE_TOKEN}`;
const post = async (body: string, type = "message/rfc822", app = theApp(), authorization = BEARER) => {
  const response = await app.fetch(
    new Request("http://127.0.0.1/api/v1/bounces", {
      method: "POST",
      headers: { "Content-Type": type, Authorization: authorization },
      body,
    }),
  );
  const text = await response.text();
  const { items = [] }: { items?: readonly Readonly<Record<string, unknown>>[] } = JSON.parse(text);
  return { response, status: response.status, text, items };
};

const deliveryOf = async ({ eventId }: Mailed) =>
  database.db
    .selectFrom("deliveries")
    .select(["state", "bounce", "bounced_at", "bounce_reply", "timeline"])
    .where("event_id", "=", eventId)
    .where("group_name", "=", "welcome-email")
    .executeTakeFirstOrThrow();

const stepsOf = async (mailed: Mailed): Promise<readonly (string | undefined)[]> =>
  (await deliveryOf(mailed)).timeline.filter(({ by }) => by === "bounces").map(({ reason }) => reason);

const suppressionOf = async ({ email }: Mailed): Promise<string | undefined> =>
  (await listSuppressions(database.db, 1_000)).find(({ addressKey }) => addressKey === email)?.reason;

describe("a mail that came back", () => {
  test.each([
    ["postfix", "5.1.1"],
    ["exim", "5.1.1"],
    ["exchange", "5.1.10"],
    ["gmail", "5.1.1"],
  ])("from %s: the address is suppressed, and the timeline says so; again: nothing", async (name, code) => {
    const mailed = await aMailedSignup();
    const { status, items, text } = await post(filled(mailSample(name), mailed));
    expect(status).toBe(200);
    const about = { kind: "bounced", code, event_id: mailed.eventId, group: "welcome-email" };
    expect(items).toEqual([{ result: "recorded", ...about, suppressed: true }]);
    expect(text).not.toContain(mailed.email);
    const delivery = await deliveryOf(mailed);
    expect(delivery).toMatchObject({ state: "done", bounce: `bounced ${code}`, bounced_at: expect.any(Date) });
    expect(JSON.stringify(delivery)).not.toContain(mailed.email.split("@")[0] ?? "");
    expect(delivery.bounce_reply).toContain(code);

    await liftSuppression(database.db, mailed.email);
    expect((await post(filled(mailSample(name), mailed))).items).toMatchObject([
      { result: "repeated", suppressed: false },
    ]);
    expect(await stepsOf(mailed)).toEqual([`bounced ${code}`]);
    expect(await suppressionOf(mailed)).toBeUndefined();
  });

  test("by somebody who calls it spam: suppressed", async () => {
    const mailed = await aMailedSignup();
    expect((await post(filled(mailSample("complaint"), mailed))).items).toMatchObject([
      { result: "recorded", kind: "complained", suppressed: true },
    ]);
    expect(await suppressionOf(mailed)).toBe("complained");
    const taken = await aMailedSignup();
    const back = filled(mailSample("complaint"), taken).replace("Feedback-Type: abuse", "Feedback-Type: not-spam");
    expect((await post(back)).items).toEqual([{ result: "ignored" }]);
  });

  test("for now, or for a reason that is not the address's: a step only", async () => {
    const mailed = await aMailedSignup();
    expect((await post(filled(mailSample("delayed"), mailed))).items).toMatchObject([
      { kind: "delayed", suppressed: false },
    ]);
    expect(await deliveryOf(mailed)).toMatchObject({ bounced_at: null, bounce: null });
    for (const code of ["4.4.7", "5.2.2", "5.7.1", "5.6.0"]) {
      const soft = filled(mailSample("postfix"), mailed).replaceAll("5.1.1", code);
      expect((await post(soft)).items).toMatchObject([{ result: "recorded", code, suppressed: false }]);
    }
    const steps = ["delayed 4.2.2", "bounced 4.4.7", "bounced 5.2.2", "bounced 5.7.1", "bounced 5.6.0"];
    expect(await stepsOf(mailed)).toEqual(steps);
    expect(await suppressionOf(mailed)).toBeUndefined();
  });

  test("as the body of a request, with its boundary in the header", async () => {
    const mailed = await aMailedSignup();
    const [head = "", ...rest] = filled(mailSample("exim"), mailed).split("\n\n");
    const type = /^Content-Type: (multipart\/report.*)$/im.exec(head)?.[1] ?? "";
    expect((await post(rest.join("\n\n"), type)).items).toMatchObject([{ result: "recorded", suppressed: true }]);
  });

  test("whose token was changed: nobody is suppressed, and the step says that it is not proven", async () => {
    const mailed = await aMailedSignup();
    const forged = filled(mailSample("postfix"), {
      ...mailed,
      token: mailed.token.replace(/.@/, (end) => (end === "0@" ? "1@" : "0@")),
    });
    expect((await post(forged)).items).toMatchObject([{ result: "recorded", suppressed: false }]);
    expect(await stepsOf(mailed)).toEqual(["bounced 5.1.1 (not proven)"]);
    expect(await deliveryOf(mailed)).toMatchObject({ bounced_at: null });
    expect(await suppressionOf(mailed)).toBeUndefined();
  });

  test("suppresses the address of the delivery, not the one that it names", async () => {
    const [mailed, stranger] = [await aMailedSignup(), await aMailedSignup()];
    await post(filled(mailSample("postfix"), { ...mailed, email: stranger.email }));
    expect(await suppressionOf(stranger)).toBeUndefined();
    expect(await suppressionOf(mailed)).toBe("bounced 5.1.1");
  });

  test("without a token, by its Message-ID, proves nothing: whoever signs somebody up is told it", async () => {
    const mailed = await aMailedSignup();
    const plain = filled(mailSample("postfix"), { ...mailed, token: "welcome@toblug.example" });
    expect((await post(plain)).items).toMatchObject([{ result: "recorded", suppressed: false }]);
    expect(await stepsOf(mailed)).toEqual(["bounced 5.1.1 (not proven)"]);
    expect(await suppressionOf(mailed)).toBeUndefined();
  });

  test("names its recipient in other words: nothing of that is kept", async () => {
    const mailed = await aMailedSignup();
    const local = mailed.email.split("@")[0] ?? "";
    const words = `550 5.1.1 No such user ${local.toUpperCase()} here; "${local}" is unknown`;
    const named = filled(mailSample("postfix"), mailed).replace(
      /^Diagnostic-Code:.*(?:\r?\n[ \t].*)*/m,
      `Diagnostic-Code: smtp; ${words}`,
    );
    await post(named);
    const { bounce_reply: reply } = await deliveryOf(mailed);
    expect(reply).toStartWith("550 5.1.1 No such user");
    expect(reply?.toLowerCase()).not.toContain(local);
  });

  test("about no mail of ours: unmatched; a reply by a person: ignored; rubbish: no fault", async () => {
    const nobody = { ...(await aMailedSignup()), messageId: "<1@elsewhere.example>", token: "a@elsewhere.example" };
    expect((await post(filled(mailSample("gmail"), nobody))).items).toEqual([
      { result: "unmatched", kind: "bounced", code: "5.1.1" },
    ]);
    const away = "From: a@b.example\r\nSubject: I am on holiday\r\n\r\nUntil Monday.\r\n";
    expect((await post(away)).items).toEqual([{ result: "ignored" }]);
    const levels = Array.from(
      { length: 50 },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
    );
    expect((await post(levels.join(""))).items).toEqual([{ result: "unreadable" }]);
    // Anybody can send it to the address for bounces: a mebibyte that would take the parser seconds.
    const parts = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(90_000)}`;
    const groups = `To: ${"a:".repeat(50_000)}\r\n\r\nx`;
    for (const bloated of [parts, "\r\n \t".repeat(200_000), groups, ""]) {
      expect((await post(bloated)).items).toEqual([{ result: "unreadable" }]);
    }
    expect((await post("\u0000\u0001 rubbish")).status).toBe(200);
    const long = { ...nobody, messageId: `${"@".repeat(200_000)} x` };
    expect((await post(filled(mailSample("postfix"), long))).items).toMatchObject([{ result: "unmatched" }]);
  });
});

describe("the JSON of a provider, as docs/mail-identity.md has it", () => {
  test.each(["ses", "sendgrid", "mailgun", "postmark"])("%s: suppressed, once", async (name) => {
    const mailed = await aMailedSignup();
    const type = name === "ses" ? "text/plain; charset=UTF-8" : "application/json";
    const body = filled(jsonSample(name), mailed);
    const about = { kind: "bounced", code: "5.1.1", event_id: mailed.eventId, group: "welcome-email" };
    expect((await post(body, type)).items).toEqual([{ result: "recorded", ...about, suppressed: true }]);
    expect((await post(body, type)).items).toMatchObject([{ result: "repeated" }]);
    expect(await stepsOf(mailed)).toEqual(["bounced 5.1.1"]);
    expect(await suppressionOf(mailed)).toBe("bounced 5.1.1");
  });

  test.each([
    ["of an address with a NUL", { email: "x\0y@inbox.example" }],
    ["of an address with half a character", { email: "\ud800@inbox.example" }],
    ["of a Message-ID with a NUL", { "smtp-id": "<x\0y@inbox.example>" }],
    ["of a Message-ID with half a character", { "smtp-id": "<\udfff@inbox.example>" }],
  ])("a report %s is about no mail of ours", async (_, of) => {
    const { status, items } = await post(
      JSON.stringify([{ event: "bounce", email: "x@y.example", status: "5.1.1", ...of }]),
      "application/json",
    );
    expect(status).toBe(200);
    expect(items).toEqual([{ result: "unmatched", kind: "bounced", code: "5.1.1" }]);
  });

  test("a batch: each item by itself, also several of one delivery", async () => {
    const mailed = await aMailedSignup();
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
    const { items } = await post(JSON.stringify(batch), "application/json");
    expect(items.map(({ result, kind, suppressed }) => [result, kind, suppressed])).toEqual([
      ["recorded", "delayed", false],
      ["ignored", undefined, undefined],
      ["recorded", "bounced", false],
      ["recorded", "complained", true],
      ["unmatched", "bounced", undefined],
      ["unreadable", undefined, undefined],
      ["unreadable", undefined, undefined],
    ]);
    expect(await stepsOf(mailed)).toEqual(["delayed 4.2.2", "bounced 5.7.1", "complained"]);
  });

  test("rows that somebody else has locked: the other reports of the batch are recorded at once, these when it is sent again", async () => {
    const [free, locked, other] = [await aMailedSignup(), await aMailedSignup(), await aMailedSignup()];
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
        database.url,
        `select 1 from deliveries where event_id = '${locked.eventId}' for update`,
        // The address is being suppressed by somebody else: whoever suppresses it too has to wait.
        `insert into suppressions (email_key, reason, event_id) values ('${other.email}', 'by hand', '${other.eventId}')`,
      );
      const { response, status } = await post(batch, "application/json");
      expect(status).toBe(503);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
      expect(await stepsOf(free)).toEqual(["bounced 5.1.1"]);
      expect(await suppressionOf(free)).toBe("bounced 5.1.1");
      expect(await stepsOf(locked)).toEqual([]);
    }
    const { items } = await post(batch, "application/json");
    expect(items.map(({ result }) => result)).toEqual(["recorded", "repeated", "recorded", "recorded"]);
    expect(await stepsOf(locked)).toEqual(["bounced 5.1.1", "complained 5.1.1"]);
    expect(await stepsOf(other)).toEqual(["bounced 5.1.1"]);
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
      expect((await post(body, "text/plain")).items).toEqual([{ result: "subscription" }]);
    }
  });
});

describe("the inlet", () => {
  test("takes the service token, also as a password, and nothing else", async () => {
    const basic = (password: string) => `Basic ${Buffer.from(`bounces:${password}`).toString("base64")}`;
    expect((await post("[]", "application/json", theApp(), basic(SERVICE_TOKEN))).status).toBe(200);
    for (const authorization of ["", "Bearer wrong", basic("wrong"), basic("")]) {
      const { status, response } = await post("[]", "application/json", theApp(), authorization);
      expect(status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("Basic realm=");
    }
    expect((await post("[]", "application/json", theApp({ SERVICE_TOKEN: "another-token-of-tests" }))).status).toBe(
      401,
    );
  });

  test("is bounded: 413, 415, 400", async () => {
    expect((await post("x".repeat(1_100_000))).status).toBe(413);
    expect((await post(JSON.stringify(Array.from({ length: 1_001 }, () => ({}))), "application/json")).status).toBe(
      413,
    );
    const bouncedRecipients = Array.from({ length: 1_001 }, (_, index) => ({ emailAddress: `${index}@inbox.example` }));
    const ofSes = { notificationType: "Bounce", mail: {}, bounce: { bounceType: "Permanent", bouncedRecipients } };
    const bySns = { Type: "Notification", TopicArn: "arn:aws:sns:eu-west-1:1:t", Message: JSON.stringify(ofSes) };
    for (const body of [ofSes, bySns, [{}, ofSes]]) {
      expect((await post(JSON.stringify(body), "application/json")).status).toBe(413);
    }
    const inText = JSON.stringify({ ...ofSes, bounce: undefined }).replace(
      /}$/,
      `,"x":${"[".repeat(40)}${"]".repeat(40)}}`,
    );
    const tooDeep = JSON.stringify({ ...bySns, Message: inText });
    expect((await post(tooDeep, "application/json")).items).toEqual([{ result: "unreadable" }]);
    expect((await post("a=b", "application/x-www-form-urlencoded")).status).toBe(415);
    const deep = `{"event":"bounce","email":"a@b.example","x":${"[".repeat(400_000)}${"]".repeat(400_000)}}`;
    for (const body of ["{", deep, `[{},${"0,".repeat(100_001)}0]`]) {
      expect((await post(body, "application/json")).status).toBe(400);
    }
  });
});
