import { expect, test } from "bun:test";
import type { Redis } from "ioredis";
import { randomHex } from "../../observability/trace-context.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "../connection.ts";
import { keysOf } from "../keys.ts";
import { deadLetter } from "./dead-letter.ts";
import { delayEntries } from "./delay.ts";
import { dropLetters } from "./drop-letters.ts";
import { hastenEntries } from "./hasten.ts";
import { promoteDue } from "./promote.ts";
import { redriveLetters } from "./redrive.ts";
import { releaseEntries } from "./release.ts";
import { skipEntries } from "./skip.ts";

const GROUP = "welcome-email";
const CONSUMER = "consumer-1";
const EVENT = "01890a5d-ac96-774b-bcce-b302099a8057";
const FIELDS = ["id", EVENT];
const MEMBER = JSON.stringify(FIELDS);

/** An entry that is pending, a letter, a retry that is due, and one that is not: what scripts move. */
const aStream = async (admin: Redis) => {
  const keys = keysOf(`test-${randomHex(6)}`);
  const stream = keys.events;
  const [retrySet, retriesStream] = [keys.retrySet(GROUP), keys.retriesStream(GROUP)];
  const [dead, deadIndex] = [keys.dead(GROUP), keys.deadIndex(GROUP)];
  await admin.xgroup("CREATE", stream, GROUP, "0", "MKSTREAM");
  const id = String(await admin.xadd(stream, "*", ...FIELDS));
  await admin.xreadgroup("GROUP", GROUP, CONSUMER, "STREAMS", stream, ">");
  const next = String(await admin.xadd(stream, "*", ...FIELDS));
  const letter = String(await admin.xadd(dead, "*", "event_id", EVENT, "fields", MEMBER));
  await admin.hset(deadIndex, EVENT, letter);
  await admin.zadd(retrySet, 1, MEMBER);
  const names = [stream, retriesStream, retrySet, dead, deadIndex];
  /** All of it, byte by byte, but for idle times. */
  const all = async () => ({
    dumps: await Promise.all(names.slice(1).map((key) => admin.dumpBuffer(key))),
    pending: (await admin.xpending(stream, GROUP))[0],
    group: await admin.xinfo("GROUPS", stream),
  });
  return { group: GROUP, stream, retrySet, retriesStream, dead, deadIndex, id, next, letter, names, all };
};
type Made = Awaited<ReturnType<typeof aStream>>;

const heldBy = ({ stream }: Made) => ({ stream, group: GROUP, consumer: CONSUMER });
const letterOf = (eventId: string) => ({
  ...{ eventId, indexed: true, reason: "policy", detail: "", attempts: 1, fields: FIELDS },
  ...{ firstFailureAt: "2026-11-28T06:05:00Z", lastFailureAt: "2026-11-28T06:05:00Z" },
});

const CASES: readonly (readonly [string, string, (redis: Redis, made: Made) => Promise<unknown>])[] = [
  ...["xack", "zadd"].map(
    (lacks) =>
      [
        "delay",
        lacks,
        (redis: Redis, made: Made) =>
          delayEntries(redis, heldBy(made), made.retrySet, [{ id: made.id, delayMs: 1_000, fields: ["id", "other"] }]),
      ] as const,
  ),
  ...["xack", "xadd", "hset"].map(
    (lacks) =>
      [
        "dead-letter",
        lacks,
        (redis: Redis, made: Made) =>
          deadLetter(redis, { ...heldBy(made), entryId: made.id }, made, letterOf(Bun.randomUUIDv7())),
      ] as const,
  ),
  ...["xack", "xadd"].map(
    (lacks) =>
      [
        "release",
        lacks,
        (redis: Redis, made: Made) => releaseEntries(redis, heldBy(made), made.retriesStream, [made.id]),
      ] as const,
  ),
  ...["xdel", "hdel", "xadd"].map(
    (lacks) => ["redrive", lacks, (redis: Redis, made: Made) => redriveLetters(redis, made, [made.letter])] as const,
  ),
  ...["xdel", "hdel"].map(
    (lacks) => ["drop letters", lacks, (redis: Redis, made: Made) => dropLetters(redis, made, [made.letter])] as const,
  ),
  ...["zrem", "zadd"].map(
    (lacks) =>
      [
        "hasten",
        lacks,
        (redis: Redis, made: Made) =>
          hastenEntries(redis, made.retrySet, [{ member: MEMBER, fields: ["id", "other"] }]),
      ] as const,
  ),
  ...["xadd", "zrem"].map(
    (lacks) => ["promote", lacks, (redis: Redis, made: Made) => promoteDue(redis, made, 10)] as const,
  ),
  ...["zadd", "xgroup"].map(
    (lacks) =>
      [
        "skip",
        lacks,
        (redis: Redis, made: Made) =>
          skipEntries(redis, made, {
            ...{ after: made.id, lastId: made.next, count: 1, delayMs: 1_000 },
            delayed: [{ id: made.next, fields: ["id", "other"] }],
          }),
      ] as const,
  ),
];

test.each(CASES)(
  "a script (%s) that Redis would refuse in its middle, by a right to %s that is missing, changes nothing",
  async (_, lacks, run) => {
    const open = (url: string) =>
      openCommandConnection({ url, name: "rights", log: silentLog, commandTimeoutMs: 5_000 });
    const admin = open(redisUrl());
    await untilReady(admin, 5_000);
    const made = await aStream(admin);
    const user = `user-${randomHex(6)}`;
    const url = new URL(redisUrl());
    url.username = user;
    url.password = "secret";
    await admin.acl("SETUSER", user, "on", ">secret", "~*", "&*", "+@all", `-${lacks}`);
    const redis = open(url.href);
    try {
      await untilReady(redis, 5_000);
      const before = await made.all();
      await expect(run(redis, made)).rejects.toThrow(/NOPERM|ACL failure|can't run/);
      expect(await made.all()).toEqual(before);
      await admin.acl("SETUSER", user, `+${lacks}`);
      await run(redis, made);
      expect(await made.all()).not.toEqual(before);
    } finally {
      redis.disconnect();
      await admin.acl("DELUSER", user);
      await admin.unlink(...made.names);
      admin.disconnect();
    }
  },
);
