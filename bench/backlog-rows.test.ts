import { expect, test } from "bun:test";
import { findDeliveryStates } from "../database/ledger/status.ts";
import { randomHex } from "../observability/trace-context.ts";
import { fieldOf, readAfter } from "../stream/entries.ts";
import { REMINDER_EMAIL, WELCOME_EMAIL } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { withTestDatabase } from "../tests/database.ts";
import { redisUrl } from "../tests/pipeline.ts";
import { writeBacklog } from "./backlog-rows.ts";
import { openStream } from "./open-stream.ts";

test("a backlog is what signups leave: users, queued deliveries of both mail groups, entries, and nothing to relay", async () => {
  const database = await withTestDatabase();
  const environment = { REDIS_URL: redisUrl(), STREAM_NAME: `bench-${randomHex(6)}` };
  const redis = await openStream({ environment });
  await writeBacklog({ databaseUrl: database.url, environment }, 1_001);

  const entries = await readAfter(redis, keysOf(environment.STREAM_NAME).events, "0-0", 2_000);
  expect(entries).toHaveLength(1_001);
  const eventIds = entries.map(({ raw }) => fieldOf(raw, "id") ?? "");
  for (const { name } of [WELCOME_EMAIL, REMINDER_EMAIL]) {
    const states = await findDeliveryStates(database.db, eventIds, name);
    expect([name, states.size, new Set(states.values())]).toEqual([name, 1_001, new Set(["queued"] as const)]);
  }
  const count = async (table: "users" | "outbox") =>
    (await database.db.selectFrom(table).select(database.db.fn.countAll<string>().as("rows")).executeTakeFirst())?.rows;
  expect([await count("users"), await count("outbox")]).toEqual(["1001", "0"]);
  await redis.del(keysOf(environment.STREAM_NAME).events);
  redis.disconnect();
  await database.drop();
});
