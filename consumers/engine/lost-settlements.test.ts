import { describe, expect, test } from "bun:test";
import { MAIL_UNCERTAIN, SIGNUP_TIME_TO_DONE } from "../../observability/metric-names.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, type Pipeline } from "../../tests/pipeline.ts";
import { recordMetrics } from "../../tests/recorded-metrics.ts";
import {
  aGatedConsumer,
  aPeer,
  aStalledConsumer,
  type StalledConsumer,
  untilLeaseIsOver,
} from "../../tests/stalled-commits.ts";
import { startProxyOf } from "../../tests/tcp-proxy.ts";

const GROUP = "welcome-email";
/** Work begins, and its link is cut, before the lease is over: also on a machine that has much else to do. */
const BEGUN_IN_TIME = { claimMinIdleMs: 5_000 };
const POLICIES = ["resend", "hold"] as const;

/** Sent once, recorded once, and nothing is left in Redis that says that somebody died. */
const expectRecordedOnce = async (
  pipeline: Pipeline,
  { eventIds, outbox: { sent } }: Pick<StalledConsumer, "eventIds" | "outbox">,
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
      const one = await aStalledConsumer(pipeline, "done", { uncertain });
      await aPeer(pipeline, one, { uncertain });
      await untilLeaseIsOver();
      await one.stalled.end();
      await expectRecordedOnce(pipeline, one, { uncertain: 0 });
    });

    test(`its link is cut behind Postgres, and a peer reads another entry of the event (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const one = await aStalledConsumer(pipeline, "done", { uncertain, databaseUrl: proxy.url });
      proxy.silence();
      await one.stalled.end();
      await aPeer(pipeline, one, { uncertain });
      await untilLeaseIsOver();
      proxy.restore();
      await expectRecordedOnce(pipeline, one, { uncertain: 0 });
    });

    test(`its link is cut before Postgres, and a peer takes the delivery over: it finds the note (policy ${uncertain})`, async () => {
      await using pipeline = await aPipeline();
      await using proxy = await startProxyOf(pipeline.url);
      const one = await aGatedConsumer(pipeline, { ...BEGUN_IN_TIME, uncertain, databaseUrl: proxy.url });
      proxy.silence();
      one.goOn();
      await eventually(() => one.outbox.sent.length === one.eventIds.length);
      const notes = one.eventIds.map((id) => pipeline.keys.sent(GROUP, id));
      await eventually(async () => (await pipeline.redis.exists(...notes)) === notes.length);
      await aPeer(pipeline, one, { ...BEGUN_IN_TIME, uncertain });
      const byPeer = async () =>
        (await Promise.all(one.eventIds.map((id) => pipeline.status(id)))).every(
          (status) => status?.state === "done" && status.timeline.at(-1)?.by !== one.consumer.consumer,
        );
      await eventually(byPeer);
      proxy.restore();
      // Past its commit point it was in doubt, until the note was read.
      await expectRecordedOnce(pipeline, one, { uncertain: 1 });
    });
  }
});

test("an outcome whose commit stalls counts once in the metrics, and as no doubt", async () => {
  await using recorded = recordMetrics();
  await using pipeline = await aPipeline();
  const one = await aStalledConsumer(pipeline, "done");
  await aPeer(pipeline, one);
  await untilLeaseIsOver();
  await one.stalled.end();
  await expectRecordedOnce(pipeline, one, { uncertain: 0 });
  const done = await recorded.valuesOf(SIGNUP_TIME_TO_DONE);
  expect(done.map(({ value }) => value)).toEqual([one.eventIds.length]);
  expect(await recorded.valuesOf(MAIL_UNCERTAIN)).toEqual([]);
});
