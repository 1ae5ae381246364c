import { expect, test } from "bun:test";
import { startLagRepairer } from "../../api/background/lag-repairer.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { infoRecords, numberOf } from "../../stream/info-records.ts";
import { keysOf } from "../../stream/keys.ts";
import { eventually } from "../eventually.ts";
import { anOwnRedis } from "../own-redis.ts";
import { silentLog } from "../pipeline.ts";

test("three restarts in a row, with repairs in between: the lag of groups from the start, from the end, from the middle, beyond a hole and of empty streams", async () => {
  await using own = await anOwnRedis({ keepsAll: true });
  const keys = keysOf("restarts");
  const { events } = keys;
  const retries = keys.retriesStream(WELCOME_EMAIL.name);
  const redis = openCommandConnection({ url: own.url, name: "lag", log: silentLog, commandTimeoutMs: 10_000 });
  await untilReady(redis, 5_000);
  // A rewritten file holds the groups' counters, and Redis would lose nothing.
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
  const add = async (stream: string, count: number) => {
    const ids = await Promise.all(Array.from({ length: count }, () => redis.xadd(stream, "*", "id", "x")));
    return ids.map((id) => id ?? "");
  };
  const read = (group: string, count: number) =>
    redis.xreadgroup("GROUP", group, "c", "COUNT", count, "STREAMS", events, ">");

  await redis.xgroup("CREATE", events, "start", "0", "MKSTREAM");
  const first = await add(events, 30);
  await redis.xgroup("CREATE", events, "end", "$");
  await redis.xgroup("CREATE", events, "middle", first[19] ?? "");
  await add(events, 10);
  // Read, done, and gone; and a stream that nothing was ever in.
  await redis.xgroup("CREATE", retries, WELCOME_EMAIL.name, "$", "MKSTREAM");
  await add(retries, 4);
  await redis.xreadgroup("GROUP", WELCOME_EMAIL.name, "c", "NOACK", "STREAMS", retries, ">");
  await redis.xtrim(retries, "MAXLEN", 0);
  const left: Record<string, number> = { start: 40, end: 10, middle: 20 };
  await read("start", 5);
  // A hole that a group has read past, and that lies before the others.
  await redis.xdel(events, first[1] ?? "");
  left["start"] = 35;

  const lagsOf = async (stream: string) => {
    const records = infoRecords(await redis.xinfo("GROUPS", stream));
    return Object.fromEntries(records.map((record) => [String(record.get("name")), numberOf(record, "lag")]));
  };
  await using _repairer = startLagRepairer({ redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { everyMs: 50 });
  for (let restart = 0; restart < 3; restart += 1) {
    await own.kill();
    await own.start();
    await untilReady(redis, 10_000);
    await eventually(async () => Bun.deepEquals(await lagsOf(events), left), 10_000);
    await eventually(async () => (await lagsOf(retries))[WELCOME_EMAIL.name] === 0, 10_000);
    for (const group of ["start", "end", "middle"]) {
      await read(group, 2);
      left[group] = (left[group] ?? 0) - 2;
    }
    await eventually(async () => Bun.deepEquals(await lagsOf(events), left), 10_000);
  }
  expect(left).toEqual({ start: 29, end: 4, middle: 14 });
  expect((await redis.xpending(events, "start"))[0]).toBe(11);
  redis.disconnect();
}, 60_000);
