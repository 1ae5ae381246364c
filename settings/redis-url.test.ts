import { describe, expect, test } from "bun:test";
import { parseRedisUrl } from "./redis-url.ts";

describe("a URL of Redis", () => {
  test.each(["redis://redis.example", "rediss://u:p@redis.example:6380/1?sslrootcert=system"])(
    "%s: a server",
    (url) => {
      expect(parseRedisUrl(url)).toEqual({ kind: "server" });
    },
  );

  test("of sentinels: their hosts, the master's name, both logins", () => {
    const url =
      "rediss+sentinel://api:p%2Cw%40@a:26380,b,[::1]:26381/mymaster/2?sentinel_username=s&sentinel_password=t%26u";
    expect(parseRedisUrl(url)).toMatchObject({
      kind: "sentinel",
      seeds: [
        { host: "a", port: 26_380 },
        { host: "b", port: 26_379 },
        { host: "::1", port: 26_381 },
      ],
      isEncrypted: true,
      login: { username: "api", password: "p,w@" },
      sentinelLogin: { username: "s", password: "t&u" },
      master: "mymaster",
      database: 2,
    });
  });

  test("of a cluster", () => {
    expect(parseRedisUrl("redis+cluster://:secret@a,b:7001/0")).toMatchObject({
      kind: "cluster",
      seeds: [
        { host: "a", port: 6_379 },
        { host: "b", port: 7_001 },
      ],
      isEncrypted: false,
      login: { password: "secret" },
    });
  });

  test.each([
    "http://redis.example",
    "redis://a,b",
    "redis://a/x",
    "redis://a/1/2",
    "redis://u:p%ss@a",
    "redis+sentinel://a,b",
    "redis+sentinel://a/my master",
    "redis+sentinel://a/mymaster/x",
    "redis+cluster://a/1",
    "redis+cluster://a,:7001",
    "redis+cluster://%:%@a",
    "redis+proxy://a",
    "",
  ])("%s is none", (url) => {
    expect(parseRedisUrl(url)).toBeUndefined();
  });
});
