import { describe, expect, test } from "bun:test";
import { findDeliveries } from "../database/ledger/status.ts";
import { opsProcess } from "../ops/operator-for-tests.ts";
import { EXIT } from "../runtime/process.ts";
import { eventually } from "./eventually.ts";
import { startOtlpReceiver } from "./otlp-receiver.ts";
import { aSystem } from "./processes.ts";
import { aTrace, exportingTo, KIND, only, signUpWith } from "./received-traces.ts";
import { aReceiver } from "./webhook-receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe.concurrent("a receiver in the settings", () => {
  test("is a group of the API, of a consumer and of ops; its request is a span of the signup's trace", async () => {
    await using telemetry = startOtlpReceiver();
    await using receiver = await aReceiver();
    const sending = { WEBHOOK_CRM_URL: `${receiver.url}?token=hidden`, WEBHOOK_CRM_SECRET: SECRET };
    const settings = { WEBHOOKS: "crm", WEBHOOK_ALLOW_PRIVATE: "true" };
    await using system = await aSystem({ settings });
    // The API has neither the URL nor the secret.
    const api = await system.api(exportingTo(telemetry));
    await system.consumer(exportingTo(telemetry, sending), "webhook-crm");
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent);

    const received = await eventually(() => receiver.received[0]);
    const eventId = received.headers["webhook-id"] ?? "";
    await eventually(async () => {
      const deliveries = await findDeliveries(system.database.db, eventId);
      return deliveries.find(({ group }) => group === "webhook-crm")?.state === "done";
    });
    const request = await eventually(() => {
      const spans = telemetry.spans.filter(({ name, kind }) => name === "POST" && kind === KIND.client);
      return spans.length > 0 && only(spans);
    });
    const { hostname, port } = new URL(receiver.url);
    expect(request).toMatchObject({ traceId, isError: false });
    expect(request.attributes).toMatchObject({
      "http.request.method": "POST",
      "server.address": hostname,
      "url.full": `http://${hostname}:${port}/REDACTED`,
    });
    expect(Number(request.attributes["server.port"])).toBe(Number(port));
    expect(Number(request.attributes["http.response.status_code"])).toBe(204);
    expect(received.headers["traceparent"]).toBe(`00-${traceId}-${request.spanId}-01`);
    const parent = await eventually(() => telemetry.spans.find(({ spanId }) => spanId === request.parentSpanId));
    expect(parent.name).toStartWith("process ");
    const measured = await eventually(() =>
      telemetry.points.find(({ metric }) => metric === "http.client.request.duration"),
    );
    expect(measured.attributes).toMatchObject({ "http.request.method": "POST", "server.address": hostname });
    expect(Number(measured.attributes["http.response.status_code"])).toBe(204);
    expect(Object.keys(measured.attributes)).not.toContain("error.type");
    expect(telemetry.bodies.join()).not.toContain("hidden");

    const ops = await opsProcess(["webhook", "test", "crm"], { ...system.environment, ...sending });
    expect(ops.code).toBe(0);
    expect(ops.out).toContain("crm answered 204");
    expect(receiver.received).toHaveLength(2);
    const status = await opsProcess(["status", "--json"], system.environment);
    expect(JSON.parse(status.out)).toMatchObject({
      groups: expect.arrayContaining([expect.objectContaining({ group: "webhook-crm", orphaned: false })]),
    });
  });

  test("without URL and secret: its consumer names both and exits 78; other groups are not concerned", async () => {
    await using system = await aSystem({ settings: { WEBHOOKS: "crm" } });
    const refused = await system.consumer({}, "webhook-crm").catch(String);
    expect(refused).toContain(`exit code ${EXIT.badSettings}`);
    expect(refused).toContain("WEBHOOK_CRM_URL: not set");
    expect(refused).toContain("WEBHOOK_CRM_SECRET: not set");
    await system.consumer({}, "welcome-email");
    const unknown = await system.consumer({}, "webhook-cmr").catch(String);
    expect(unknown).toContain("no group is named webhook-cmr");
  });
});
