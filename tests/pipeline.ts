import type { Redis } from "ioredis";
import pino from "pino";
import { createAnnouncer } from "../api/background/announcer.ts";
import type { AtCheckpoint, Checkpoint } from "../consumers/engine/checkpoint.ts";
import { passCheckpoint } from "../consumers/engine/checkpoint.ts";
import type { Handler } from "../consumers/engine/dispatcher.ts";
import { type GroupOptions, type RunningGroup, startGroup } from "../consumers/engine/group.ts";
import { comparisonKey } from "../database/comparison-key.ts";
import { type Database, openDatabase } from "../database/connection.ts";
import { type EventStatus, findEventStatus } from "../database/event-status.ts";
import { createSignupWriter, type NewSignup } from "../database/signup.ts";
import { randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { type Keys, keysOf } from "../stream/keys.ts";
import { withTestDatabase } from "./database.ts";

/** A signup as the API would have checked it, its parts replaceable. */
export const aSignup = (parts: Partial<NewSignup> = {}): NewSignup => {
  const name = `user-${randomHex(6)}`;
  return {
    userId: Bun.randomUUIDv7(),
    eventId: Bun.randomUUIDv7(),
    userName: name,
    userNameKey: comparisonKey(name),
    email: `${name}@inbox.example`,
    emailKey: `${name}@inbox.example`,
    passwordHash: "$argon2id$none",
    locale: "vi",
    ...randomTraceContext(randomHex),
    ...parts,
  };
};

/** Counts what a consumer "sent"; the outcome is sent unless the test says otherwise. */
export interface Outbox {
  readonly sent: string[];
  readonly handler: Handler;
}

export const anOutbox = (): Outbox => {
  const sent: string[] = [];
  return {
    sent,
    handler: async (mail, { beforeBody }) => {
      if (!beforeBody()) return { kind: "released", reason: "lease_lost" };
      sent.push(mail.eventId);
      return { kind: "sent", reply: "250 taken", messageId: `<${mail.eventId}.welcome@test.example>` };
    },
  };
};

export interface TestConsumer extends RunningGroup {
  /** As `kill -9` would: nothing is written any more, by anybody. */
  crash(): void;
  /** Its name in the group. */
  readonly consumer: string;
  readonly redis: Redis;
  readonly db: Database;
}

export interface Pipeline extends AsyncDisposable {
  readonly url: string;
  readonly streamName: string;
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  /** Writes and publishes signups; returns their event ids. */
  signUp(...signups: readonly NewSignup[]): Promise<string[]>;
  /** Writes a signup and leaves it in the outbox. */
  writeOnly(signup: NewSignup): Promise<string>;
  status(eventId: string): Promise<EventStatus | undefined>;
  consumer(handler: Handler, options?: Partial<GroupOptions> & { readonly at?: AtCheckpoint }): Promise<TestConsumer>;
}

export const silentLog = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

export const redisUrl = (): string => {
  const url = process.env["TEST_REDIS_URL"];
  if (url === undefined) throw new Error("TEST_REDIS_URL is not set: run the tests by `bun tests/run.ts`");
  return url;
};

/** A checkpoint at which the process stops for ever, and a promise that tells when it got there. */
export const stopAt = (step: Checkpoint): { readonly at: AtCheckpoint; readonly reached: Promise<string> } => {
  const { promise: reached, resolve } = Promise.withResolvers<string>();
  return {
    reached,
    at: (passed, eventId) => {
      if (passed !== step) return;
      resolve(eventId);
      return new Promise<void>(() => {});
    },
  };
};

const SHORT_CLAIM_MS = 1_000;

/** A pipeline of a test's own: its database, its stream. */
export const aPipeline = async (): Promise<Pipeline> => {
  const database = await withTestDatabase();
  const { db, url } = database;
  const streamName = `test-${randomHex(6)}`;
  const keys = keysOf(streamName);
  const connection = { url: redisUrl(), name: streamName, log: silentLog };
  const redis = openCommandConnection({ ...connection, commandTimeoutMs: 5_000 });
  await untilReady(redis, 5_000);
  await ensureGroup(redis, keys, WELCOME_EMAIL);
  const writer = createSignupWriter(db);
  const announcer = createAnnouncer({ db, redis, keys, log: silentLog });
  const consumers: TestConsumer[] = [];

  const writeOnly = async (signup: NewSignup): Promise<string> => {
    const result = await writer.write(signup);
    if (result.kind !== "created") throw new Error(`the signup was not made: ${result.kind}`);
    return signup.eventId;
  };

  const startConsumer: Pipeline["consumer"] = async (handler, options = {}) => {
    const own = openCommandConnection({ ...connection, commandTimeoutMs: 2_000 });
    await untilReady(own, 5_000);
    const name = `consumer-${randomHex(4)}`;
    const ownDb = openDatabase({ url, poolSize: 4, applicationName: "test consumer" });
    const group = startGroup(
      {
        redis: own,
        connectBlocking: () => openBlockingConnection(connection),
        db: ownDb,
        keys,
        handler,
        log: silentLog,
        now: () => performance.now(),
        wallClock: () => new Date(),
        random: () => 1,
        at: options.at ?? passCheckpoint,
      },
      {
        group: WELCOME_EMAIL,
        consumer: name,
        concurrency: 10,
        claimMinIdleMs: SHORT_CLAIM_MS,
        retryMax: 3,
        retryDelayMs: 50,
        uncertain: "resend",
        expireAfterMs: 3_600_000,
        drainTimeoutMs: 2_000,
        ...options,
      },
    );
    const close = () => {
      own.disconnect();
      void ownDb.destroy().catch(() => {});
    };
    const consumer: TestConsumer = {
      ...group,
      consumer: name,
      redis: own,
      db: ownDb,
      stop: async () => {
        await group.stop();
        close();
      },
      crash: () => {
        group.abandon();
        close();
      },
    };
    consumers.push(consumer);
    return consumer;
  };

  return {
    url,
    streamName,
    db,
    redis,
    keys,
    writeOnly,
    async signUp(...signups) {
      return Promise.all(
        signups.map(async (signup) => {
          await writeOnly(signup);
          const { userId, eventId, traceparent } = signup;
          await announcer.announce({ userId, eventId, traceparent, locale: "vi", createdAt: new Date() });
          return eventId;
        }),
      );
    },
    status: (eventId) => findEventStatus(db, eventId),
    consumer: startConsumer,
    async [Symbol.asyncDispose]() {
      for (const consumer of consumers) consumer.crash();
      await announcer.idle();
      const left = await redis.keys(`{${streamName}}*`);
      if (left.length > 0) await redis.del(...left);
      redis.disconnect();
      await database.drop();
    },
  };
};
