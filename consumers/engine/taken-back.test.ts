import { test } from "bun:test";
import { MAIL_UNCERTAIN, MAIL_UNCERTAIN_TAKEN_BACK } from "../../observability/metric-names.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline } from "../../tests/pipeline.ts";
import { recordMetrics } from "../../tests/recorded-metrics.ts";
import { aGatedConsumer, aPeer } from "../../tests/stalled-commits.ts";
import { startProxyOf } from "../../tests/tcp-proxy.ts";

test("the counters of what is uncertain, and of what was taken back, differ by what the ledger counts", async () => {
  await using recorded = recordMetrics();
  await using pipeline = await aPipeline();
  await using proxy = await startProxyOf(pipeline.url);
  // Its leases run out before the commit point, and a peer takes its work over.
  const one = await aGatedConsumer(pipeline, { databaseUrl: proxy.url });
  const all = () => Promise.all(one.eventIds.map((id) => pipeline.status(id)));
  proxy.silence();
  await aPeer(pipeline, one);
  await eventually(async () => (await all()).every((status) => status?.state === "done"));
  one.goOn();
  proxy.restore();
  await eventually(async () => (await all()).every((status) => status?.uncertain === 0));
  const sumOf = async (name: string) => (await recorded.valuesOf(name)).reduce((sum, { value }) => sum + value, 0);
  // The ledger has it before the consumer has its answer.
  for (const name of [MAIL_UNCERTAIN, MAIL_UNCERTAIN_TAKEN_BACK])
    await eventually(async () => (await sumOf(name)) === one.eventIds.length);
});
