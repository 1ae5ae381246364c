import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import { startRelay } from "../api/background/relay.ts";
import { type Database, openDatabase } from "../database/connection.ts";
import { grantRights } from "../database/grant-rights.ts";
import { migrateToLatest } from "../database/migrate-to-latest.ts";
import { MIGRATIONS } from "../database/migrations/index.ts";
import { redrive } from "../ops/actions/redrive.ts";
import { anOperator } from "../ops/operator-for-tests.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { withTestDatabase } from "./database.ts";
import { anOutbox, aPipeline, type Pipeline, silentLog } from "./pipeline.ts";
import { allSent, anEvent, nothingPending } from "./pipeline-states.ts";

const GROUP = WELCOME_EMAIL.name;
const LAST_WITH_EMAILS = "0002-suppressions";
const TRACEPARENT = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
const MINUTE_AGO = new Date(Date.now() - 60_000);

const STATES = [
  "queued",
  "sending",
  "retrying",
  "uncertain",
  "held",
  "sent",
  "dead",
  "suppressed",
  "cancelled",
] as const;
/** A mail is named by its state; one more is queued, and not published yet. */
type Name = (typeof STATES)[number] | "unpublished";

/** A row of the table `emails`, as the version before wrote it. */
interface Email {
  readonly name: Name;
  readonly state: (typeof STATES)[number];
  /** What the state is called in the ledger of deliveries. */
  readonly becomes?: string;
  readonly fence?: number;
  readonly attempts?: number;
  readonly system_failures?: number;
  readonly uncertain?: number;
  readonly lease_until?: Date;
  readonly next_try_at?: Date;
  readonly reason?: string;
  readonly message_id?: string;
  readonly server_reply?: string;
  readonly steps: readonly string[];
}

const EMAILS: readonly Email[] = [
  { name: "queued", state: "queued", steps: ["queued"] },
  { name: "unpublished", state: "queued", steps: ["queued"] },
  {
    ...{ name: "sending", state: "sending", becomes: "active", fence: 2, attempts: 1, lease_until: MINUTE_AGO },
    steps: ["queued", "sending", "retrying", "sending"],
  },
  {
    ...{ name: "retrying", state: "retrying", fence: 3, attempts: 2, system_failures: 4, next_try_at: MINUTE_AGO },
    ...{ reason: "mailbox_full", server_reply: "452 4.2.2 full" },
    steps: ["queued", "sending", "retrying", "sending", "retrying"],
  },
  {
    ...{ name: "uncertain", state: "uncertain", fence: 1, attempts: 1, uncertain: 1, next_try_at: MINUTE_AGO },
    ...{ reason: "cut_off", steps: ["queued", "sending", "uncertain"] },
  },
  {
    ...{ name: "held", state: "held", fence: 1, attempts: 1, uncertain: 1, reason: "uncertain" },
    steps: ["queued", "sending", "uncertain", "held"],
  },
  {
    ...{ name: "sent", state: "sent", becomes: "done", fence: 1, attempts: 1 },
    ...{ message_id: "<1.welcome@toblug.example>", server_reply: "250 2.0.0 taken" },
    steps: ["queued", "sending", "sent"],
  },
  {
    ...{ name: "dead", state: "dead", fence: 1, attempts: 1, reason: "content_refused", server_reply: "554 5.7.1 no" },
    steps: ["queued", "sending", "dead"],
  },
  { name: "suppressed", state: "suppressed", fence: 1, reason: "address_suppressed", steps: ["queued", "suppressed"] },
  { name: "cancelled", state: "cancelled", fence: 1, reason: "user_erased", steps: ["queued", "cancelled"] },
];

const mapped = (state: string) => (state === "sending" ? "active" : state === "sent" ? "done" : state);

/** Each mail's event id and user id. */
type Ids = Readonly<Record<Name, { readonly eventId: string; readonly userId: string }>>;

const insertEmail = async (db: Database, email: Email, { eventId, userId }: Ids[Name]): Promise<void> => {
  const timeline = email.steps.map((state, at) => ({ at: MINUTE_AGO.toISOString(), state, by: `consumer-${at}` }));
  if (email.name !== "cancelled") {
    await sql`insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
      values (${userId}, ${email.name}, ${email.name}, ${`${email.name}@inbox.example`}, ${`${email.name}@inbox.example`},
        '$argon2id$none', 'en')`.execute(db);
  }
  await sql`insert into emails (event_id, user_id, template, locale, state, fence, attempts, system_failures, uncertain,
      lease_until, next_try_at, reason, message_id, server_reply, timeline, traceparent, queued_at, created_at, published_at)
    values (${eventId}, ${userId}, 'welcome', 'en', ${email.state}, ${email.fence ?? 0}, ${email.attempts ?? 0},
      ${email.system_failures ?? 0}, ${email.uncertain ?? 0}, ${email.lease_until ?? null}, ${email.next_try_at ?? null},
      ${email.reason ?? null}, ${email.message_id ?? null}, ${email.server_reply ?? null},
      ${JSON.stringify(timeline)}::text::jsonb, ${TRACEPARENT}, ${MINUTE_AGO}, ${MINUTE_AGO}, ${MINUTE_AGO})`.execute(
    db,
  );
};

const newIds = () => ({ eventId: Bun.randomUUIDv7(), userId: Bun.randomUUIDv7() });

/** A database as the version before left it, brought up to date. */
const migratedDatabase = async () => {
  const database = await withTestDatabase({ migrated: false });
  const deadlineMs = Number.POSITIVE_INFINITY;
  const db: Database = openDatabase({ url: database.url, poolSize: 1, applicationName: "test migrate", deadlineMs });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateTo(LAST_WITH_EMAILS);
  if (error !== undefined) throw error;

  const ids: Ids = {
    ...{ queued: newIds(), unpublished: newIds(), sending: newIds(), retrying: newIds(), uncertain: newIds() },
    ...{ held: newIds(), sent: newIds(), dead: newIds(), suppressed: newIds(), cancelled: newIds() },
  };
  for (const email of EMAILS) await insertEmail(db, email, ids[email.name]);
  await sql`insert into outbox (event_id, created_at) values (${ids.unpublished.eventId}, ${MINUTE_AGO})`.execute(db);
  await sql`insert into suppressions (email_key, reason, event_id)
    values ('suppressed@inbox.example', 'no_such_address', ${ids.suppressed.eventId})`.execute(db);
  await migrateToLatest(db);
  await grantRights(db);
  await db.destroy();
  return { database, ids };
};

/** What the version before has in Redis: unread, pending for a dead consumer, in the retry set, and a dead letter. */
const leaveInRedis = async ({ redis, keys }: Pipeline, ids: Ids): Promise<void> => {
  const fieldsOf = (name: Name) => anEvent(ids[name].eventId, ids[name].userId);
  await ensureGroup(redis, keys, WELCOME_EMAIL);
  await redis.xadd(keys.events, "*", ...fieldsOf("sending"));
  await redis.xreadgroup("GROUP", GROUP, "of-the-version-before", "COUNT", 1, "STREAMS", keys.events, ">");
  await redis.xadd(keys.events, "*", ...fieldsOf("queued"));
  const delayed = (name: Name, attempts: string, lastFailure: string) => {
    const counters = ["attempts", attempts, "firstfailure", MINUTE_AGO.toISOString(), "lastfailure", lastFailure];
    return redis.zadd(keys.retrySet(GROUP), MINUTE_AGO.getTime(), JSON.stringify([...fieldsOf(name), ...counters]));
  };
  await delayed("retrying", "2", "mailbox_full");
  await delayed("uncertain", "1", "cut_off");
  const { eventId } = ids.dead;
  const times = ["first_failure_at", MINUTE_AGO.toISOString(), "last_failure_at", MINUTE_AGO.toISOString()];
  const letter = await redis.xadd(
    keys.dead(GROUP),
    "*",
    ...["event_id", eventId, "reason", "content_refused", "detail", "554 5.7.1 no", "attempts", "1", ...times],
    ...["group", GROUP, "consumer", "of-the-version-before", "stream", keys.events, "entry_id", "1-0"],
    ...["fields", JSON.stringify(fieldsOf("dead"))],
  );
  await redis.hset(keys.deadIndex(GROUP), eventId, letter ?? "");
};

describe("a database with the table `emails`, brought up to date", () => {
  test("loses nothing: each mail is an event and a delivery with all that was counted", async () => {
    const { database, ids } = await migratedDatabase();
    try {
      const { db } = database;
      const deliveries = await db.selectFrom("deliveries").selectAll().execute();
      expect(deliveries).toHaveLength(EMAILS.length);
      expect(new Set(EMAILS.map(({ state }) => state))).toEqual(new Set(STATES));
      for (const email of EMAILS) {
        const { fence = 0, attempts = 0, system_failures = 0, uncertain = 0, ...row } = email;
        const { eventId, userId } = ids[email.name];
        const delivery = deliveries.find((found) => found.event_id === eventId);
        expect(delivery).toMatchObject({
          group_name: GROUP,
          state: row.becomes ?? row.state,
          ...{ fence, attempts, system_failures, uncertain },
          lease_until: row.lease_until ?? null,
          next_try_at: row.next_try_at ?? null,
          reason: row.reason ?? null,
          receipt: row.message_id ?? null,
          reply: row.server_reply ?? null,
          ...{ queued_at: MINUTE_AGO, created_at: MINUTE_AGO, published_at: MINUTE_AGO },
        });
        const steps = row.steps.map((state, at) => ({
          at: MINUTE_AGO.toISOString(),
          by: `consumer-${at}`,
          state: mapped(state),
        }));
        expect<unknown>(delivery?.timeline).toEqual(steps);
        const event = await db
          .selectFrom("events")
          .selectAll()
          .where("event_id", "=", eventId)
          .executeTakeFirstOrThrow();
        expect(event).toEqual({
          ...{ event_id: eventId, type: "user.signed_up.v1", subject: userId },
          ...{ data: { user_id: userId, locale: "en" }, traceparent: TRACEPARENT, tracestate: null },
          created_at: MINUTE_AGO,
        });
      }
      const outbox = await db.selectFrom("outbox").select("event_id").execute();
      expect(outbox).toEqual([{ event_id: ids.unpublished.eventId }]);
      const suppressions = await db.selectFrom("suppressions").select(["email_key", "reason"]).execute();
      expect(suppressions).toEqual([{ email_key: "suppressed@inbox.example", reason: "no_such_address" }]);
    } finally {
      await database.drop();
    }
  });

  test("goes on with what was in flight: each mail once, and only the one that was being sent may be a duplicate", async () => {
    const { database, ids } = await migratedDatabase();
    await using pipeline = await aPipeline([WELCOME_EMAIL], database);
    await leaveInRedis(pipeline, ids);
    const { db, redis, keys } = pipeline;
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    await using _ = startRelay({ db, redis, keys, log: silentLog }, { olderThanMs: 0, everyMs: 50 });
    const idsOf = (...names: readonly Name[]) => names.map((name) => ids[name].eventId);
    const inFlight = idsOf("queued", "unpublished", "sending", "retrying", "uncertain");
    await allSent(pipeline, inFlight);
    expect([...outbox.sent].sort()).toEqual([...inFlight].sort());
    expect(await pipeline.status(ids.queued.eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
    expect(await pipeline.status(ids.sending.eventId)).toMatchObject({ attempts: 2, uncertain: 1 });
    expect(await pipeline.status(ids.retrying.eventId)).toMatchObject({ attempts: 3, uncertain: 0 });
    expect(await pipeline.status(ids.uncertain.eventId)).toMatchObject({ attempts: 2, uncertain: 1 });

    const report = await redrive(anOperator(pipeline), WELCOME_EMAIL, { kind: "all" });
    expect(report).toMatchObject({ letters: 1, redriven: 1, byReason: { content_refused: 1 } });
    await allSent(pipeline, [ids.dead.eventId]);
    await nothingPending(pipeline);
    expect(outbox.sent).toHaveLength(inFlight.length + 1);
    for (const name of ["held", "suppressed", "cancelled"] as const) {
      expect((await pipeline.status(ids[name].eventId))?.state).toBe(name);
    }
  });
});
