import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openDatabase } from "../database/connection.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { boundGroups, GROUPS } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { refusal, startMailServer } from "./mail-server.ts";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.ts";
import { aSignup } from "./pipeline.ts";
import { aSystem, type RunningProcess, type System } from "./processes.ts";
import {
  aTrace,
  CALLER,
  exportingTo,
  isSent,
  KIND,
  MAIL_GROUP,
  named,
  only,
  openRedis,
  outcomes,
  signUpWith,
  spansOf,
  startingWith,
  TRACEPARENT,
} from "./received-traces.ts";

describe.concurrent("one trace shows a signup", () => {
  test("from the request to the mail server's answer, and nothing personal", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const api = await system.api(exportingTo(receiver));
    const consumer = await system.consumer(exportingTo(receiver), MAIL_GROUP);
    await signUpWith(api, TRACEPARENT, { user_name: "Bố Già", email: "bo.gia@inbox.example" });
    const spans = await spansOf(receiver, CALLER.traceId, isSent);

    const server = only(named(spans, "POST /api/v1/user/"));
    const hash = only(named(spans, "hash password"));
    const statement = only(named(spans, "INSERT users INSERT events INSERT deliveries INSERT outbox"));
    const send = only(startingWith(spans, "send").filter(({ kind }) => kind === KIND.producer));
    const process = only(startingWith(spans, "process"));
    const email = only(named(spans, "send email"));
    const settle = only(startingWith(spans, "settle"));
    expect([server.parentSpanId, hash.parentSpanId, statement.parentSpanId, send.parentSpanId]).toEqual([
      CALLER.spanId,
      server.spanId,
      server.spanId,
      server.spanId,
    ]);
    expect([process.parentSpanId, email.parentSpanId, settle.parentSpanId]).toEqual([
      send.spanId,
      process.spanId,
      process.spanId,
    ]);
    expect(process.links).toEqual([expect.objectContaining({ traceId: CALLER.traceId, spanId: send.spanId })]);
    expect([server.kind, send.kind, process.kind, email.kind, settle.kind]).toEqual([
      KIND.server,
      KIND.producer,
      KIND.consumer,
      KIND.client,
      KIND.client,
    ]);
    expect(server.attributes).toMatchObject({ "http.route": "/api/v1/user/", "http.response.status_code": 201 });
    expect(send.name).toBe(`send ${system.streamName}`);
    expect(process.attributes).toMatchObject({
      "messaging.system.name": "redis",
      "messaging.operation.type": "process",
      "messaging.consumer.group.name": "welcome-email",
      "messaging.message.id": send.attributes["messaging.message.id"],
      "signup.delivery.attempt": 1,
      "signup.delivery.reason": "first",
    });
    expect(email.attributes).toMatchObject({ "server.address": "127.0.0.1", "smtp.response.status_code": 250 });
    expect(settle.attributes).toMatchObject({ "signup.delivery.state": "done" });
    expect(receiver.resources[0]).toMatchObject({
      "process.runtime.name": "bun",
      "service.namespace": "signup-stream",
    });
    expect(new Set(spans.map(({ service }) => service))).toEqual(
      new Set(["signup-stream-api", "signup-stream-consumer"]),
    );
    const line = consumer.lines.find((text) => text.includes('"message":"attempted"')) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({
      trace_id: CALLER.traceId,
      span_id: process.spanId,
      group: "welcome-email",
    });

    consumer.kill("SIGTERM");
    api.kill("SIGTERM");
    await Promise.all([consumer.exited, api.exited]);
    const told = [...receiver.bodies, ...api.lines, ...consumer.lines].join("\n");
    expect(told).not.toMatch(/Bố|bo\.gia|@inbox|correct horse/);
    const metrics = new Set(receiver.points.map(({ metric }) => metric));
    expect(
      [
        "http.server.request.duration",
        "db.client.operation.duration",
        "messaging.client.sent.messages",
        "messaging.client.consumed.messages",
        "messaging.client.operation.duration",
        "messaging.process.duration",
        "signup.time_to_inbox",
        "signup.stream.lag",
        "signup.stream.lag_unknown",
        "signup.stream.pending",
        "signup.stream.oldest_unfinished_age",
        "signup.retrying",
        "signup.dead",
        "signup.outbox.rows",
        "signup.outbox.oldest_age",
        "signup.breaker.state",
        "signup.password_hash.waiting",
        "signup.smtp.connections.busy",
      ].filter((name) => !metrics.has(name)),
    ).toEqual([]);
    const inbox = receiver.points.filter(({ metric }) => metric === "signup.time_to_inbox").at(-1);
    expect(inbox?.value).toBe(1);
    expect(inbox?.sum).toBeGreaterThan(0);
    // Seconds, not milliseconds.
    expect(inbox?.sum).toBeLessThan(60);
  });

  test("claimed: after kill -9 a peer's attempt has the reason `claim`", async () => {
    let answers = 0;
    const asked = Promise.withResolvers<void>();
    const mailServer = await startMailServer({
      beforeReply: async () => {
        answers += 1;
        if (answers > 1) return;
        asked.resolve();
        await new Promise(() => {});
      },
    });
    await using receiver = startOtlpReceiver();
    await using system = await aSystem({ mailServer });
    const api = await system.api(exportingTo(receiver));
    const victim = await system.consumer(exportingTo(receiver), MAIL_GROUP);
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent);
    await asked.promise;
    victim.kill("SIGKILL");
    await system.consumer(exportingTo(receiver), MAIL_GROUP);
    const spans = await spansOf(receiver, traceId, isSent);
    expect(outcomes(spans)).toEqual([["claim", 1, "done"]]);
    await eventually(() => receiver.points.some(({ metric, value }) => metric === "mail.uncertain" && value === 1));
    await eventually(() => receiver.points.some(({ metric, value }) => metric === "signup.claimed" && value === 1));
  });

  test("released: a consumer that was asked to stop has a span of its attempt, a peer one of the next", async () => {
    const asked = Promise.withResolvers<void>();
    let recipients = 0;
    const mailServer = await startMailServer({
      onRcptTo: (_address, _session, done) => {
        recipients += 1;
        // The first is never answered: the attempt is aborted before its body.
        if (recipients === 1) asked.resolve();
        else done(null);
      },
    });
    await using receiver = startOtlpReceiver();
    await using system = await aSystem({ mailServer });
    const api = await system.api(exportingTo(receiver));
    const leaving = await system.consumer(exportingTo(receiver), MAIL_GROUP);
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent);
    await asked.promise;
    leaving.kill("SIGTERM");
    expect(await leaving.exited).toBe("exit code 0");
    await system.consumer(exportingTo(receiver), MAIL_GROUP);
    const spans = await spansOf(receiver, traceId, isSent);
    expect(outcomes(spans)).toEqual([
      ["first", 1, "released"],
      ["first", 1, "done"],
    ]);
    expect(startingWith(spans, "process").map(({ isError }) => isError)).toEqual([false, false]);
  });

  test("reconciled: a mail that Redis lost is sent again, under the request that made it", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const api = await system.api(exportingTo(receiver));
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent);
    using opened = await openRedis();
    const { redis } = opened;
    await redis.del(system.keys.events);
    await system.consumer(exportingTo(receiver), MAIL_GROUP);
    const spans = await spansOf(receiver, traceId, isSent);
    const streams = [system.keys.events, system.keys.retriesStream("welcome-email")];
    const sends = startingWith(spans, "send").filter(
      ({ kind, attributes }) =>
        kind === KIND.producer && streams.some((key) => key === attributes["signup.stream.key"]),
    );
    const server = only(named(spans, "POST /api/v1/user/"));
    expect(sends.map(({ parentSpanId }) => parentSpanId)).toEqual([server.spanId, server.spanId]);
    expect(sends.map(({ attributes }) => attributes["signup.stream.key"])).toEqual(streams);
    expect(only(startingWith(spans, "process")).parentSpanId).toBe(sends[1]?.spanId ?? "");
    await eventually(() => receiver.points.some(({ metric, value }) => metric === "signup.reconciled" && value === 1));
  });
});

describe("one trace shows, beside those of others in the same processes,", () => {
  const shared = new AsyncDisposableStack();
  let receiver: OtlpReceiver;
  let system: System;
  let api: RunningProcess;

  /** By what an address begins with, the mail server refuses it: `later` twice, `never` always. */
  const startMailServerByAddress = () => {
    let refusals = 0;
    return startMailServer({
      onRcptTo: ({ address }, _session, done) => {
        if (address.startsWith("never")) return done(refusal(550, "5.1.1 no such user"));
        if (!address.startsWith("later") || refusals === 2) return done(null);
        refusals += 1;
        done(refusal(452, "4.2.2 mailbox full, anh@inbox.example"));
      },
    });
  };

  beforeAll(async () => {
    receiver = shared.use(startOtlpReceiver());
    system = shared.use(await aSystem({ mailServer: await startMailServerByAddress() }));
    api = await system.api(exportingTo(receiver));
    await system.consumer(exportingTo(receiver, { RETRY_GREYLIST_MS: "100" }), MAIL_GROUP);
  });
  afterAll(() => shared.disposeAsync());

  test("relayed: an event that its request could not publish has one `send`, a child of that request", async () => {
    const { traceId, traceparent } = aTrace();
    const db = openDatabase({ url: system.database.url, poolSize: 1, applicationName: "test" });
    await createSignupWriter(db, boundGroups(GROUPS)).write(aSignup({ event: { traceparent } }));
    const spans = await spansOf(receiver, traceId, isSent);
    await db.destroy();
    const send = only(startingWith(spans, "send").filter(({ kind }) => kind === KIND.producer));
    expect([send.parentSpanId, send.service]).toEqual([CALLER.spanId, "signup-stream-api"]);
    expect(only(startingWith(spans, "process")).parentSpanId).toBe(send.spanId);
  });

  test("retried: each attempt is a span of its own under the same `send`", async () => {
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent, { email: "later@inbox.example" });
    const spans = await spansOf(receiver, traceId, isSent);
    expect(outcomes(spans)).toEqual([
      ["first", 1, "transient"],
      ["retry", 2, "transient"],
      ["retry", 3, "done"],
    ]);
    const tries = startingWith(spans, "process");
    const send = only(startingWith(spans, "send").filter(({ kind }) => kind === KIND.producer));
    expect(new Set(tries.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([send.spanId]));
    expect(tries.map(({ isError }) => isError)).toEqual([true, true, false]);
    expect(named(spans, "send email").map(({ attributes }) => attributes["smtp.response.status_code"])).toEqual([
      452, 452, 250,
    ]);
    expect(receiver.bodies.join("\n")).not.toContain("anh@inbox");
  });

  test("dead: the refusal and the burial are in the trace", async () => {
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent, { email: "never@inbox.example" });
    const spans = await spansOf(receiver, traceId, (all) => startingWith(all, "process").length === 1);
    const process = only(startingWith(spans, "process"));
    expect(process).toMatchObject({
      isError: true,
      attributes: { "signup.outcome": "rejected", "error.type": "no_such_address" },
    });
    expect(only(startingWith(spans, "settle")).attributes["signup.delivery.state"]).toBe("dead");
    expect(only(named(spans, "send email")).attributes).toMatchObject({
      "smtp.response.status_code": 550,
      "smtp.response.enhanced_status_code": "5.1.1",
    });
  });

  test("an entry that cannot be read is a failed `process` with its burial", async () => {
    using opened = await openRedis();
    const { redis } = opened;
    const { traceId, traceparent } = aTrace();
    const fields = ["type", "user.signed_up.v1", "id", "Ánh <anh@inbox.example>", "traceparent", traceparent];
    await redis.xadd(system.keys.events, "*", ...fields);
    const spans = await spansOf(receiver, traceId, (all) => startingWith(all, "process").length === 1);
    expect(only(startingWith(spans, "process"))).toMatchObject({
      parentSpanId: CALLER.spanId,
      isError: true,
      attributes: { "error.type": "malformed" },
    });
    expect(receiver.bodies.join("\n")).not.toContain("Ánh");
  });
});
