import { expect, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { refusal, startMailServer } from "../mail-server.ts";
import { startOtlpReceiver } from "../otlp-receiver.ts";
import { aSystem, signUpAt } from "../processes.ts";
import { exportingTo, KIND, MAIL_GROUP } from "../received-traces.ts";

const SIGNUPS = 400;

test("400 signups, a tenth refused at first, a consumer killed: every mail has its spans, every trace its mail", async () => {
  const seen = new Set<string>();
  const mailServer = await startMailServer({
    onRcptTo: ({ address }, _session, done) => {
      const isFirstTry = !seen.has(address);
      seen.add(address);
      const isRefused = isFirstTry && seen.size % 10 === 0;
      done(isRefused ? refusal(452, "4.3.1 full") : null);
    },
  });
  await using receiver = startOtlpReceiver();
  await using system = await aSystem({ mailServer });
  const api = await system.api(exportingTo(receiver));
  const consumers = await Promise.all([1, 2, 3].map(() => system.consumer(exportingTo(receiver), MAIL_GROUP)));
  const [victim, ...others] = consumers;
  const signups = await Promise.all(Array.from({ length: SIGNUPS }, () => signUpAt(api)));
  victim?.kill("SIGKILL");
  const copies = () => {
    const ids = mailServer.taken.map(({ raw }) => /^Message-ID: <([0-9a-f-]{36})\./m.exec(raw)?.[1] ?? "");
    return Map.groupBy(ids, (id) => id);
  };
  await eventually(() => mailServer.taken.length >= SIGNUPS && copies().size === SIGNUPS, 60_000);
  for (const process of [api, ...others]) process.kill("SIGTERM");
  await Promise.all(consumers.map(({ exited }) => exited));
  await api.exited;

  const mails = copies();
  const byEvent = Map.groupBy(receiver.spans, ({ attributes }) => String(attributes["cloudevents.event_id"] ?? ""));
  const servers = receiver.spans.filter(({ name }) => name === "POST /api/v1/user/");
  expect(servers).toHaveLength(SIGNUPS);
  expect(new Set(servers.map(({ traceId }) => traceId)).size).toBe(SIGNUPS);
  let told = 0;
  for (const { eventId } of signups) {
    const spans = byEvent.get(eventId) ?? [];
    const sent = spans.filter(
      ({ kind, attributes }) => kind === KIND.consumer && attributes["signup.outcome"] === "done",
    );
    // One for each entry: on a starved machine the relay may publish what its request was about to publish.
    const entries = spans
      .filter(({ kind }) => kind === KIND.producer)
      .map((span) => span.attributes["messaging.message.id"]);
    expect(entries).not.toBeEmpty();
    expect(new Set(entries).size).toBe(entries.length);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(sent.length).toBeLessThanOrEqual(mails.get(eventId)?.length ?? 0);
    if (sent.length > 0) told += 1;
  }
  // The spans of the killed consumer's last moments died with it; nothing else is missing.
  expect(told).toBeGreaterThan(SIGNUPS - 150);
  const answers = receiver.spans
    .filter(({ name }) => name === "send email")
    .map(({ attributes }) => attributes["smtp.response.status_code"]);
  expect(answers.filter((code) => code === 452).length).toBeGreaterThan(SIGNUPS / 20);
}, 90_000);
