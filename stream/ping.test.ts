import { expect, test } from "bun:test";
import { randomHex } from "../observability/trace-context.ts";
import { eventually } from "../tests/eventually.ts";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { openCommandConnection } from "./connection.ts";
import { keysOf } from "./keys.ts";
import { createRedisPing } from "./ping.ts";

const open = (url: string) => openCommandConnection({ url, name: "ping", log: silentLog, commandTimeoutMs: 2_000 });

test("a Redis that refuses the login is told apart from one that does not answer, until it accepts it", async () => {
  const admin = open(redisUrl());
  const user = `user-${randomHex(6)}`;
  const setPassword = (password: string) =>
    eventually(() => admin.acl("SETUSER", user, "on", "resetpass", `>${password}`, "~*", "+@all").catch(() => false));
  await setPassword("rotated");
  const url = new URL(redisUrl());
  url.username = user;
  url.password = "secret";
  const redis = open(url.href);
  const ping = createRedisPing(redis, keysOf("ping"));
  const codeOf = async () => {
    const error: unknown = await ping().then(
      () => undefined,
      (error: unknown) => error,
    );
    return error instanceof Error && "code" in error ? error.code : error;
  };
  try {
    await eventually(async () => (await codeOf()) === "WRONGPASS");
    await setPassword("secret");
    await eventually(async () => (await codeOf()) === undefined);
    expect(redis.status).toBe("ready");
  } finally {
    redis.disconnect();
    await admin.acl("DELUSER", user);
    admin.disconnect();
  }
});
