import { expect, test } from "bun:test";
import { MAIL_UNCERTAIN, MAIL_UNCERTAIN_TAKEN_BACK } from "../../observability/metric-names.ts";
import { eventually } from "../../tests/eventually.ts";
import { addSecondEntries } from "../../tests/lost-entries.ts";
import { anOutbox, aPipeline, aSignup, type MailWork } from "../../tests/pipeline.ts";
import { recordMetrics } from "../../tests/recorded-metrics.ts";
import { startProxyOf } from "../../tests/tcp-proxy.ts";

const SIGNUPS = 4;
const SHORT = { claimMinIdleMs: 1_000, deadlineMs: 700, concurrency: SIGNUPS };

test("the counters of what is uncertain, and of what was taken back, differ by what the ledger counts", async () => {
  await using recorded = recordMetrics();
  await using pipeline = await aPipeline();
  await using proxy = await startProxyOf(pipeline.url);
  const outbox = anOutbox();
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const slow: MailWork = async (claim, recipient, attempt) => {
    begun.push(claim.eventId);
    await gate.promise;
    return outbox.work(claim, recipient, attempt);
  };
  // Its leases run out before the commit point, and a peer takes its work over.
  await pipeline.consumer(slow, { ...SHORT, databaseUrl: proxy.url });
  const signups = Array.from({ length: SIGNUPS }, () => aSignup());
  const eventIds = await pipeline.signUp(...signups);
  const all = () => Promise.all(eventIds.map((id) => pipeline.status(id)));
  await eventually(() => begun.length === SIGNUPS);
  proxy.silence();
  await pipeline.consumer(outbox.work, SHORT);
  await addSecondEntries(pipeline, signups);
  await eventually(async () => (await all()).every((status) => status?.state === "done"), 15_000);
  gate.resolve();
  proxy.restore();
  await eventually(async () => (await all()).every((status) => status?.uncertain === 0), 15_000);
  const sumOf = async (name: string) => (await recorded.valuesOf(name)).reduce((sum, { value }) => sum + value, 0);
  expect(await sumOf(MAIL_UNCERTAIN)).toBe(SIGNUPS);
  expect(await sumOf(MAIL_UNCERTAIN_TAKEN_BACK)).toBe(SIGNUPS);
});
