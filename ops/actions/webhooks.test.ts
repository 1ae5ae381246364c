import { describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { BadSettings, loadSettings } from "../../settings/load.ts";
import { aReceiver } from "../../tests/webhook-receiver.ts";
import { receiverNamed, sendSample } from "./webhooks.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const settingsWith = (further: Readonly<Record<string, string>>) =>
  loadSettings("ops", { DATABASE_URL: "postgres://db.example/signup", REDIS_URL: "redis://redis.example", ...further });

describe("a sample", () => {
  test("is signed, and of a type that no event has", async () => {
    await using server = await aReceiver();
    const settings = settingsWith({
      WEBHOOKS: "crm",
      WEBHOOK_CRM_URL: server.url,
      WEBHOOK_CRM_SECRET: SECRET,
      WEBHOOK_ALLOW_PRIVATE: "true",
    });
    const receiver = receiverNamed(settings.receivers, "crm");
    const report = await sendSample(settings, receiver, new AbortController().signal);
    expect(report).toMatchObject({ receiver: "crm", result: { kind: "answered", status: 204 } });
    const [received] = server.received;
    expect(received?.headers["webhook-id"]).toBe(report.id);
    expect(new Webhook(SECRET).verify(received?.body ?? "", received?.headers ?? {})).toMatchObject({
      type: "webhook.test.v1",
      data: { user_name: "Sample" },
    });
  });

  test("needs the receiver's URL and secret, both of which are named at once", async () => {
    const settings = settingsWith({ WEBHOOKS: "crm" });
    const sent = sendSample(settings, receiverNamed(settings.receivers, "crm"), new AbortController().signal);
    await expect(sent).rejects.toThrow(BadSettings);
    await expect(sent).rejects.toThrow(/WEBHOOK_CRM_URL: not set.*\n.*WEBHOOK_CRM_SECRET: not set/);
  });

  test("is for a receiver that the settings name", () => {
    expect(() => receiverNamed(settingsWith({ WEBHOOKS: "crm,audit" }).receivers, "cmr")).toThrow(
      "WEBHOOKS names no receiver cmr; there are: crm, audit",
    );
  });
});
