import type { Redis } from "ioredis";
import pino from "pino";
import { createPublisher } from "../api/signup/publisher.ts";
import { prepareRecipients } from "../consumers/email/recipients.ts";
import { type AtCheckpoint, passCheckpoint } from "../consumers/engine/checkpoint.ts";
import type { OpenGroup } from "../consumers/engine/factory.ts";
import { type GroupOptions, type RunningGroup, startGroup } from "../consumers/engine/group.ts";
import type { Attempt, Claim, GroupDefinition, Outcome, Policy } from "../consumers/engine/handler.ts";
import { comparisonKey } from "../database/comparison-key.ts";
import type { Database } from "../database/connection.ts";
import type { LoggedEvent } from "../database/events.ts";
import { type DeliveryStatus, findDeliveries } from "../database/ledger/status.ts";
import type { Recipient } from "../database/users/recipients.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import type { NewSignup } from "../database/users/signup-rows.ts";
import { randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { EVENT_TYPES } from "../stream/events/types.ts";
import { type UserSignedUp, userSignedUp, userSignedUpSchema } from "../stream/events/user-signed-up.ts";
import { boundGroups, type Group, WELCOME_EMAIL } from "../stream/groups.ts";
import { type Keys, keysOf } from "../stream/keys.ts";
import { type TestDatabase, withTestDatabase } from "./database.ts";
import { openStoresFor, type PartStores, TEST_DEADLINE_MS } from "./part-stores.ts";

/** A signup as the API would have checked it, its parts replaceable. */
export const aSignup = (
  parts: Partial<Omit<NewSignup, "event">> & {
    readonly eventId?: string;
    readonly event?: Partial<NewSignup["event"]>;
  } = {},
): NewSignup => {
  const { event, eventId = Bun.randomUUIDv7(), ...own } = parts;
  const name = `user-${randomHex(6)}`;
  const userId = own.userId ?? Bun.randomUUIDv7();
  return {
    userId,
    userName: name,
    userNameKey: comparisonKey(name),
    email: `${name}@inbox.example`,
    emailKey: `${name}@inbox.example`,
    passwordHash: "$argon2id$none",
    locale: "vi",
    ...own,
    event: { eventId, ...userSignedUp({ userId, locale: "vi" }), ...randomTraceContext(randomHex), ...event },
  };
};

/** The log's row of a signup that was just committed. */
export const committedEvent = ({ event }: NewSignup): LoggedEvent => ({
  event_id: event.eventId,
  type: event.type,
  subject: event.subject,
  data: event.data,
  traceparent: event.traceparent,
  tracestate: event.tracestate ?? null,
  created_at: new Date(),
});

/** A test's work on a signup. */
export type MailWork = (claim: Claim<UserSignedUp>, recipient: Recipient, attempt: Attempt) => Promise<Outcome>;

/** Counts what a consumer "sent"; every attempt is done. */
export interface Outbox {
  readonly sent: string[];
  readonly work: MailWork;
}

export const anOutbox = (): Outbox => {
  const sent: string[] = [];
  return {
    sent,
    work: async ({ eventId }, _, attempt) => {
      if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
      sent.push(eventId);
      return { kind: "done", reply: "250 taken", receipt: `<${eventId}.welcome@test.example>` };
    },
  };
};

/** The policy of the tests' consumers: short delays, so that nobody waits. */
export const TEST_POLICY: Policy = {
  isIdempotent: false,
  oncePerSubject: true,
  concurrency: 10,
  retryMax: 3,
  retryDelayMs: 50,
  uncertain: "resend",
  expireAfterMs: 3_600_000,
};

/** The group of the welcome mail, with the look-up that it has and the work that a test gives it. */
export const aMailGroup = (
  db: Database,
  work: MailWork,
  policy: Partial<Policy> = {},
): GroupDefinition<UserSignedUp, Recipient> => ({
  group: WELCOME_EMAIL,
  data: userSignedUpSchema,
  subjectOf: ({ user_id }) => user_id,
  prepare: (pieces) => prepareRecipients(db, pieces),
  work,
  policy: { ...TEST_POLICY, ...policy },
});

export interface TestConsumer extends RunningGroup {
  /** As `kill -9` would: nothing is written any more, by anybody. */
  crash(): void;
  /** Its name in the group. */
  readonly consumer: string;
  readonly redis: Redis;
  readonly db: Database;
}

/** How a test's consumer reaches Postgres. */
export interface LedgerOptions {
  /** As the administrator has it; the test's own if not given. */
  readonly databaseUrl?: string;
  /** Longest time of a statement. */
  readonly deadlineMs?: number;
}

/** How a test's consumer of any group is started. */
export interface EngineOptions extends Partial<GroupOptions>, LedgerOptions {
  readonly at?: AtCheckpoint;
  /** 1 if not given. */
  readonly random?: () => number;
  readonly knownTypes?: readonly string[];
}

/** The same, with options of the policy. */
export type ConsumerOptions = EngineOptions & Partial<Policy>;

export interface Pipeline extends AsyncDisposable {
  readonly url: string;
  readonly streamName: string;
  /** Both as administrators, to look and to break things. */
  readonly db: Database;
  readonly redis: Redis;
  /** Both as an operator has them. */
  readonly ops: PartStores;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  /** Writes and publishes signups; returns their event ids. */
  signUp(...signups: readonly NewSignup[]): Promise<string[]>;
  /** Writes a signup and leaves it in the outbox. */
  writeOnly(signup: NewSignup): Promise<string>;
  /** The delivery of an event in the ledger; of the welcome mail if no group is named. */
  status(eventId: string, group?: string): Promise<DeliveryStatus | undefined>;
  /** Starts a consumer of the welcome mail. */
  consumer(work: MailWork, options?: ConsumerOptions): Promise<TestConsumer>;
  /** Starts a consumer of a group that is opened as its folder has it. */
  open(group: (db: Database) => OpenGroup, options?: EngineOptions): Promise<TestConsumer>;
  /** Starts a consumer of any group; the definition gets the consumer's own database. */
  start<Data, Input>(
    definition: (db: Database) => GroupDefinition<Data, Input>,
    options?: EngineOptions,
  ): Promise<TestConsumer>;
}

export const silentLog = pino({ level: process.env["TEST_LOG_LEVEL"] ?? "silent" });

export const redisUrl = (): string => {
  const url = process.env["TEST_REDIS_URL"];
  if (url === undefined) throw new Error("TEST_REDIS_URL is not set: run the tests by `bun tests/run.ts`");
  return url;
};

const SHORT_CLAIM_MS = 1_000;

/** A pipeline of a test's own: its database, which it drops in the end, and its stream. `redisAt`: another Redis than the run's. */
export const aPipeline = async (
  groups: readonly Group[] = [WELCOME_EMAIL],
  given?: TestDatabase,
  redisAt: string = redisUrl(),
): Promise<Pipeline> => {
  const database = given ?? (await withTestDatabase());
  const { db, url } = database;
  const streamName = `test-${randomHex(6)}`;
  const keys = keysOf(streamName);
  const connection = { url: redisAt, name: streamName, log: silentLog };
  const admins = { databaseUrl: url, redisUrl: redisAt, name: streamName, poolSize: 4, log: silentLog };
  const patience = { commandTimeoutMs: TEST_DEADLINE_MS, deadlineMs: TEST_DEADLINE_MS };
  const redis = openCommandConnection({ ...connection, commandTimeoutMs: TEST_DEADLINE_MS });
  const [api, ops] = await Promise.all([
    openStoresFor("api", { ...admins, ...patience }),
    openStoresFor("ops", { ...admins, ...patience }),
    untilReady(redis, TEST_DEADLINE_MS),
  ]);
  for (const group of groups) await ensureGroup(api.redis, keys, group);
  const writer = createSignupWriter(api.db, boundGroups(groups));
  const publisher = createPublisher({ db: api.db, redis: api.redis, keys, log: silentLog });
  const consumers: TestConsumer[] = [];

  const writeOnly = async (signup: NewSignup): Promise<string> => {
    const result = await writer.write(signup);
    if (result.kind !== "created") throw new Error(`the signup was not made: ${result.kind}`);
    return signup.event.eventId;
  };

  const open: Pipeline["open"] = async (openGroup, options = {}) => {
    const {
      at = passCheckpoint,
      random = () => 1,
      knownTypes = EVENT_TYPES,
      databaseUrl = url,
      deadlineMs,
      ...own
    } = options;
    const consumer = `consumer-${randomHex(4)}`;
    const stores = await openStoresFor("consumer", { ...admins, databaseUrl, commandTimeoutMs: 2_000, deadlineMs });
    const running = openGroup(stores.db).start(
      {
        redis: stores.redis,
        connectBlocking: () => openBlockingConnection({ ...connection, url: stores.redisUrl }),
        db: stores.db,
        keys,
        knownTypes,
        log: silentLog,
        now: () => performance.now(),
        wallClock: () => new Date(),
        random,
        at,
      },
      { consumer, claimMinIdleMs: SHORT_CLAIM_MS, drainTimeoutMs: 2_000, ...own },
    );
    const close = () => void stores.close().catch(() => {});
    const started: TestConsumer = {
      ...running,
      consumer,
      redis: stores.redis,
      db: stores.db,
      stop: async () => {
        await running.stop();
        close();
      },
      crash: () => {
        running.abandon();
        close();
      },
    };
    consumers.push(started);
    return started;
  };

  const start: Pipeline["start"] = (define, options) =>
    open((ownDb) => {
      const definition = define(ownDb);
      return {
        start: (deps, groupOptions) => startGroup(deps, definition, groupOptions),
        close: async () => definition.close?.(),
      };
    }, options);

  return {
    url,
    streamName,
    db,
    redis,
    ops,
    keys,
    groups,
    writeOnly,
    async signUp(...signups) {
      const eventIds = await Promise.all(
        signups.map(async (signup) => {
          await writeOnly(signup);
          await publisher.publish(committedEvent(signup));
          return signup.event.eventId;
        }),
      );
      // Their outbox rows linger otherwise.
      await publisher.idle();
      return eventIds;
    },
    status: async (eventId, group = WELCOME_EMAIL.name) =>
      (await findDeliveries(db, eventId)).find((delivery) => delivery.group === group),
    consumer: (work, options = {}) => start((ownDb) => aMailGroup(ownDb, work, options), options),
    open,
    start,
    async [Symbol.asyncDispose]() {
      for (const consumer of consumers) consumer.crash();
      await publisher.idle();
      const left = await redis.keys(`{${streamName}}*`);
      if (left.length > 0) await redis.del(...left);
      redis.disconnect();
      await Promise.all([api.close(), ops.close()]);
      await database.drop();
    },
  };
};
