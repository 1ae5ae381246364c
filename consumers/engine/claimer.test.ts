import { expect, test } from "bun:test";
import { readNew } from "../../stream/entries.ts";
import { aPipeline, silentLog } from "../../tests/pipeline.ts";
import { anEvent } from "../../tests/pipeline-states.ts";
import { createClaimer } from "./claimer.ts";
import { createInFlight } from "./in-flight.ts";

const group = "welcome-email";
const options = { claimMinIdleMs: 1 };

test("what one stream gave is not lost by an error of the other", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const stream = keys.retriesStream(group);
  await redis.xadd(stream, "*", ...anEvent(Bun.randomUUIDv7(), Bun.randomUUIDv7()));
  const [read] = await readNew(redis, { group, consumer: "dead", stream, count: 1 });
  await redis.del(keys.events);
  const outages = { requiredIdleMs: (thresholdMs: number) => thresholdMs };
  const inFlight = createInFlight(10);
  const now = () => performance.now();
  const claimer = createClaimer(
    { redis, keys, group, consumer: "peer", inFlight, outages, log: silentLog, now },
    options,
  );
  await Bun.sleep(5);
  const claimed = await claimer.claimDue(10);
  expect(claimed).toMatchObject([{ id: read?.id, deliveries: 2, isTakenOver: true }]);
  await Bun.sleep(5);
  expect(await claimer.claimDue(10)).toMatchObject([{ id: read?.id, deliveries: 2, isTakenOver: false }]);
});
