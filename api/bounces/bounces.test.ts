import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { liftSuppression } from "../../database/users/suppressions.ts";
import { anInlet, type Inlet } from "./inlet-for-tests.ts";
import { filled, mailSample } from "./samples-for-tests.ts";

let inlet: Inlet;
beforeAll(async () => {
  inlet = await anInlet();
});
afterAll(() => inlet.drop());

describe("a mail that came back", () => {
  test.each([
    ["postfix", "5.1.1"],
    ["exim", "5.1.1"],
    ["exchange", "5.1.10"],
    ["gmail", "5.1.1"],
  ])("from %s: the address is suppressed, and the timeline says so; again: nothing", async (name, code) => {
    const mailed = await inlet.aMailedSignup();
    const { status, items, text } = await inlet.post(filled(mailSample(name), mailed));
    expect(status).toBe(200);
    const about = { kind: "bounced", code, event_id: mailed.eventId, group: "welcome-email" };
    expect(items).toEqual([{ result: "recorded", ...about, suppressed: true }]);
    expect(text).not.toContain(mailed.email);
    const delivery = await inlet.deliveryOf(mailed);
    expect(delivery).toMatchObject({ state: "done", bounce: `bounced ${code}`, bounced_at: expect.any(Date) });
    expect(JSON.stringify(delivery)).not.toContain(mailed.email.split("@")[0] ?? "");
    expect(delivery.bounce_reply).toContain(code);

    await liftSuppression(inlet.db, mailed.email);
    expect((await inlet.post(filled(mailSample(name), mailed))).items).toMatchObject([
      { result: "repeated", suppressed: false },
    ]);
    expect(await inlet.stepsOf(mailed)).toEqual([`bounced ${code}`]);
    expect(await inlet.suppressionOf(mailed)).toBeUndefined();
  });

  test("by somebody who calls it spam: suppressed", async () => {
    const mailed = await inlet.aMailedSignup();
    expect((await inlet.post(filled(mailSample("complaint"), mailed))).items).toMatchObject([
      { result: "recorded", kind: "complained", suppressed: true },
    ]);
    expect(await inlet.suppressionOf(mailed)).toBe("complained");
    const taken = await inlet.aMailedSignup();
    const back = filled(mailSample("complaint"), taken).replace("Feedback-Type: abuse", "Feedback-Type: not-spam");
    expect((await inlet.post(back)).items).toEqual([{ result: "ignored" }]);
  });

  test("for now, or for a reason that is not the address's: a step only", async () => {
    const mailed = await inlet.aMailedSignup();
    expect((await inlet.post(filled(mailSample("delayed"), mailed))).items).toMatchObject([
      { kind: "delayed", suppressed: false },
    ]);
    expect(await inlet.deliveryOf(mailed)).toMatchObject({ bounced_at: null, bounce: null });
    for (const code of ["4.4.7", "5.2.2", "5.7.1", "5.6.0", "5.1.8", "5.4.7", "5.0.0"]) {
      const soft = filled(mailSample("postfix"), mailed).replaceAll("5.1.1", code);
      expect((await inlet.post(soft)).items).toMatchObject([{ result: "recorded", code, suppressed: false }]);
    }
    const steps = ["delayed 4.2.2", "bounced 4.4.7", "bounced 5.2.2", "bounced 5.7.1", "bounced 5.6.0"].concat([
      "bounced 5.1.8",
      "bounced 5.4.7",
      "bounced 5.0.0",
    ]);
    expect(await inlet.stepsOf(mailed)).toEqual(steps);
    expect(await inlet.suppressionOf(mailed)).toBeUndefined();
  });

  test("as the body of a request, with its boundary in the header", async () => {
    const mailed = await inlet.aMailedSignup();
    const [head = "", ...rest] = filled(mailSample("exim"), mailed).split("\n\n");
    const type = /^Content-Type: (multipart\/report.*)$/im.exec(head)?.[1] ?? "";
    expect((await inlet.post(rest.join("\n\n"), type)).items).toMatchObject([{ result: "recorded", suppressed: true }]);
  });

  test("whose token was changed: nobody is suppressed, and the step says that it is not proven", async () => {
    const mailed = await inlet.aMailedSignup();
    const forged = filled(mailSample("postfix"), {
      ...mailed,
      token: mailed.token.replace(/.@/, (end) => (end === "0@" ? "1@" : "0@")),
    });
    expect((await inlet.post(forged)).items).toMatchObject([{ result: "recorded", suppressed: false }]);
    expect(await inlet.stepsOf(mailed)).toEqual(["bounced 5.1.1 (not proven)"]);
    expect(await inlet.deliveryOf(mailed)).toMatchObject({ bounced_at: null });
    expect(await inlet.suppressionOf(mailed)).toBeUndefined();
  });

  test("suppresses the address of the delivery, not the one that it names", async () => {
    const [mailed, stranger] = [await inlet.aMailedSignup(), await inlet.aMailedSignup()];
    await inlet.post(filled(mailSample("postfix"), { ...mailed, email: stranger.email }));
    expect(await inlet.suppressionOf(stranger)).toBeUndefined();
    expect(await inlet.suppressionOf(mailed)).toBe("bounced 5.1.1");
  });

  test("without a token, by its Message-ID, proves nothing: whoever signs somebody up is told it", async () => {
    const mailed = await inlet.aMailedSignup();
    const plain = filled(mailSample("postfix"), { ...mailed, token: "welcome@toblug.example" });
    expect((await inlet.post(plain)).items).toMatchObject([{ result: "recorded", suppressed: false }]);
    expect(await inlet.stepsOf(mailed)).toEqual(["bounced 5.1.1 (not proven)"]);
    expect(await inlet.suppressionOf(mailed)).toBeUndefined();
  });

  test("names its recipient in other words: nothing of that is kept", async () => {
    const mailed = await inlet.aMailedSignup();
    const local = mailed.email.split("@")[0] ?? "";
    const words = `550 5.1.1 No such user ${local.toUpperCase()} here; "${local}" is unknown`;
    const named = filled(mailSample("postfix"), mailed).replace(
      /^Diagnostic-Code:.*(?:\r?\n[ \t].*)*/m,
      `Diagnostic-Code: smtp; ${words}`,
    );
    await inlet.post(named);
    const { bounce_reply: reply } = await inlet.deliveryOf(mailed);
    expect(reply).toStartWith("550 5.1.1 No such user");
    expect(reply?.toLowerCase()).not.toContain(local);
  });

  test("about no mail of ours: unmatched; a reply by a person: ignored; rubbish: no fault", async () => {
    const nobody = {
      ...(await inlet.aMailedSignup()),
      messageId: "<1@elsewhere.example>",
      token: "a@elsewhere.example",
    };
    expect((await inlet.post(filled(mailSample("gmail"), nobody))).items).toEqual([
      { result: "unmatched", kind: "bounced", code: "5.1.1" },
    ]);
    const away = "From: a@b.example\r\nSubject: I am on holiday\r\n\r\nUntil Monday.\r\n";
    expect((await inlet.post(away)).items).toEqual([{ result: "ignored" }]);
    const levels = Array.from(
      { length: 50 },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
    );
    expect((await inlet.post(levels.join(""))).items).toEqual([{ result: "unreadable" }]);
    // Anybody can send it to the address for bounces: a mebibyte that would take the parser seconds.
    const parts = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(90_000)}`;
    const groups = `To: ${"a:".repeat(50_000)}\r\n\r\nx`;
    for (const bloated of [parts, "\r\n \t".repeat(200_000), groups, ""]) {
      expect((await inlet.post(bloated)).items).toEqual([{ result: "unreadable" }]);
    }
    expect((await inlet.post("\u0000\u0001 rubbish")).status).toBe(200);
    const long = { ...nobody, messageId: `${"@".repeat(200_000)} x` };
    expect((await inlet.post(filled(mailSample("postfix"), long))).items).toMatchObject([{ result: "unmatched" }]);
  });
});
