import { describe, expect, test } from "bun:test";
import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { MAIL_UNCERTAIN, SIGNUP_TIME_TO_DONE } from "../../observability/metric-names.ts";
import { eventually } from "../../tests/eventually.ts";
import { addSecondEntries, anOutbox, aPipeline, aSignup, type MailWork, type Pipeline } from "../../tests/pipeline.ts";
import { createStalledCommits } from "../../tests/stalled-commits.ts";
import { startProxyOf } from "../../tests/tcp-proxy.ts";

const GROUP = "welcome-email";
const SIGNUPS = 4;
/** Leases run out soon, answers are waited for no longer, and who has one of each signup reads no more. */
const SHORT = { claimMinIdleMs: 1_000, deadlineMs: 700, concurrency: SIGNUPS };
/** Work begins, and its link is cut, before the lease is over: also on a machine that has much else to do. */
const BEGUN_IN_TIME = { ...SHORT, claimMinIdleMs: 5_000 };
const POLICIES = ["resend", "hold"] as const;

const someSignups = () => Array.from({ length: SIGNUPS }, () => aSignup());

/** Longer than a lease, and than who asks waits for an answer. */
const untilLeaseIsOver = async () => {
  const since = performance.now();
  await eventually(() => performance.now() - since > 2 * SHORT.claimMinIdleMs);
};

/** Sent once, recorded once, and nothing is left in Redis that says that somebody died. */
const expectRecordedOnce = async (
  pipeline: Pipeline,
  { eventIds, sent }: { readonly eventIds: readonly string[]; readonly sent: readonly string[] },
  { uncertain }: { readonly uncertain: number },
) => {
  const statuses = () => Promise.all(eventIds.map((id) => pipeline.status(id)));
  await eventually(async () => (await statuses()).every((status) => status?.state === "done"));
  const { redis, keys } = pipeline;
  const pendingOn = async (stream: string) => Number((await redis.xpending(stream, GROUP))[0]);
  await eventually(async () => (await pendingOn(keys.events)) + (await pendingOn(keys.retriesStream(GROUP))) === 0);
  expect(sent.toSorted()).toEqual(eventIds.toSorted());
  for (const status of await statuses()) expect(status).toMatchObject({ attempts: 1, uncertain });
  const requeued = await redis.xrange(keys.retriesStream(GROUP), "-", "+");
  expect(requeued.filter(([, fields]) => fields.includes("crashes"))).toEqual([]);
};

describe.concurrent("an outcome whose answer is lost is recorded once, and counts as no death", () => {
  for (const uncertain of POLICIES) {
    test(`its commit stalls for longer than the lease, and a peer reads another entry of the event (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      const stalled = await createStalledCommits(pipeline.db);
      const outbox = anOutbox();
      const { consumer } = await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await stalled.begin(consumer, "done");
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await eventually(async () => (await stalled.waiting()) > 0);
      await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await addSecondEntries(pipeline, signups);
      await untilLeaseIsOver();
      await stalled.end();
      await expectRecordedOnce(pipeline, { eventIds, sent: outbox.sent }, { uncertain: 0 });
    });

    test(`its link is cut behind Postgres, and a peer reads another entry of the event (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const stalled = await createStalledCommits(pipeline.db);
      const outbox = anOutbox();
      const { consumer } = await pipeline.consumer(outbox.work, { ...SHORT, uncertain, databaseUrl: proxy.url });
      await stalled.begin(consumer, "done");
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await eventually(async () => (await stalled.waiting()) > 0);
      proxy.silence();
      await stalled.end();
      await pipeline.consumer(outbox.work, { ...SHORT, uncertain });
      await addSecondEntries(pipeline, signups);
      await untilLeaseIsOver();
      proxy.restore();
      await expectRecordedOnce(pipeline, { eventIds, sent: outbox.sent }, { uncertain: 0 });
    });

    test(`its link is cut before Postgres, and a peer takes the delivery over: it finds the note (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const outbox = anOutbox();
      const begun: string[] = [];
      const gate = Promise.withResolvers<void>();
      const slow: MailWork = async (claim, recipient, attempt) => {
        begun.push(claim.eventId);
        await gate.promise;
        return outbox.work(claim, recipient, attempt);
      };
      const { consumer } = await pipeline.consumer(slow, { ...BEGUN_IN_TIME, uncertain, databaseUrl: proxy.url });
      const signups = someSignups();
      const eventIds = await pipeline.signUp(...signups);
      await eventually(() => begun.length === eventIds.length);
      proxy.silence();
      gate.resolve();
      await eventually(() => outbox.sent.length === eventIds.length);
      const notes = eventIds.map((id) => pipeline.keys.sent(GROUP, id));
      await eventually(async () => (await pipeline.redis.exists(...notes)) === notes.length);
      await pipeline.consumer(outbox.work, { ...BEGUN_IN_TIME, uncertain });
      await addSecondEntries(pipeline, signups);
      const byPeer = async () =>
        (await Promise.all(eventIds.map((id) => pipeline.status(id)))).every(
          (status) => status?.state === "done" && status.timeline.at(-1)?.by !== consumer,
        );
      await eventually(byPeer);
      proxy.restore();
      // Past its commit point it was in doubt, until the note was read.
      await expectRecordedOnce(pipeline, { eventIds, sent: outbox.sent }, { uncertain: 1 });
    });
  }
});

test("an outcome whose commit stalls counts once in the metrics, and as no doubt", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  try {
    await using pipeline = await aPipeline();
    const stalled = await createStalledCommits(pipeline.db);
    const outbox = anOutbox();
    const { consumer } = await pipeline.consumer(outbox.work, SHORT);
    await stalled.begin(consumer, "done");
    const signups = someSignups();
    const eventIds = await pipeline.signUp(...signups);
    await eventually(async () => (await stalled.waiting()) > 0);
    await pipeline.consumer(outbox.work, SHORT);
    await addSecondEntries(pipeline, signups);
    await untilLeaseIsOver();
    await stalled.end();
    await expectRecordedOnce(pipeline, { eventIds, sent: outbox.sent }, { uncertain: 0 });
    const { resourceMetrics } = await reader.collect();
    const found = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const valuesOf = (name: string) =>
      found
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => (typeof value === "number" ? value : value.count)));
    expect([valuesOf(SIGNUP_TIME_TO_DONE), valuesOf(MAIL_UNCERTAIN)]).toEqual([[SIGNUPS], []]);
  } finally {
    metrics.disable();
    await provider.shutdown();
  }
});
