import { expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { serverUrl } from "../../tests/database.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { startProxy } from "../../tests/tcp-proxy.ts";
import { storesGoneAway, untilStoresAnswer } from "./stores.ts";

const LIMIT_MS = 300;
const through = (url: string, port: number): string => {
  const proxied = new URL(url);
  proxied.hostname = "127.0.0.1";
  proxied.port = String(port);
  return proxied.href;
};

test.each(["database", "redis"] as const)("a %s that stops answering ends the command that runs", async (store) => {
  await using proxy = await startProxy(Number(new URL(store === "database" ? serverUrl() : redisUrl()).port));
  const url = {
    database: serverUrl(),
    redis: redisUrl(),
    [store]: through(store === "database" ? serverUrl() : redisUrl(), proxy.port),
  };
  const db = openDatabase({ url: url.database, poolSize: 2, applicationName: "test ops" });
  const redis = openCommandConnection({ url: url.redis, name: "test ops", log: silentLog, commandTimeoutMs: 10_000 });
  await untilReady(redis, 5_000);
  await untilStoresAnswer({ db, redis }, ["database", "redis"]);
  const gone = storesGoneAway({ db, redis }, ["database", "redis"], new AbortController().signal, LIMIT_MS);
  proxy.silence();
  await expect(gone).rejects.toThrow(
    store === "database" ? /^Postgres is away: no answer/ : /^Redis is away: no answer/,
  );
  proxy.restore();
  redis.disconnect();
  await db.destroy();
});
