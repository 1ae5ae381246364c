import { expect, spyOn, test } from "bun:test";
import { aPipeline } from "../tests/pipeline.ts";
import { readGroupStatuses } from "./group-status.ts";
import { groupsOf } from "./groups.ts";

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
