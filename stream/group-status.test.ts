import { expect, spyOn, test } from "bun:test";
import { aPipeline } from "../tests/pipeline.ts";
import { readGroupStatuses } from "./group-status.ts";
import { groupsOf } from "./groups.ts";
import { IDLE_REPORT } from "./report-for-tests.ts";
import { beat } from "./scripts/beat.ts";

test("the groups on the log are read once, however many are asked for", async () => {
  const receivers = ["a", "b", "c"].map((name) => ({
    name,
    events: ["user.#"],
    contentType: "application/json" as const,
  }));
  await using pipeline = await aPipeline(groupsOf({ receivers }));
  const { redis, keys, groups } = pipeline;
  await redis.xgroup("CREATE", keys.events, "orphaned", "0", "MKSTREAM");
  const asked = spyOn(redis, "xinfo");
  const statuses = await readGroupStatuses(redis, keys, groups);
  expect(statuses.map(({ group }) => group)).toEqual([...groups.map(({ name }) => name), "orphaned"]);
  expect(asked.mock.calls.filter((call) => call.join(" ") === `GROUPS ${keys.events}`)).toHaveLength(1);
});

test("a group that is not declared here is orphaned only as long as no consumer gives a sign of life", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  await redis.xgroup("CREATE", keys.events, "webhook-crm", "0", "MKSTREAM");
  const read = async () => (await readGroupStatuses(redis, keys, groups)).find(({ group }) => group === "webhook-crm");
  expect(await read()).toMatchObject({ declared: false, orphaned: true, wasRead: false });
  await beat(redis, { keys, group: "webhook-crm", consumer: "consumer-1" }, IDLE_REPORT);
  expect(await read()).toMatchObject({ declared: false, orphaned: false });
});
