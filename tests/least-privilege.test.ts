import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Redis } from "ioredis";
import { sql } from "kysely";
import { type Database, openDatabase } from "../database/connection.ts";
import { pausesOf } from "../database/groups/pauses.ts";
import { grantsOf, MIGRATING_ROLE, SERVICE_ROLES, TABLES } from "../database/roles.ts";
import { asDatabaseRole } from "../local/postgres.ts";
import { asRedisUser } from "../local/redis.ts";
import { REDIS_RIGHTS, REDIS_USERS, type RedisUser } from "../stream/acl.ts";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { enqueueLogged } from "../stream/enqueue.ts";
import { pauseGroup } from "../stream/pauses.ts";
import { asSuperuser } from "./database.ts";
import { eventually } from "./eventually.ts";
import { moodyMailServer, operate, useItInPrivate, useTheService } from "./least-privilege/main-path.ts";
import { type CommandLog, recordCommands } from "./least-privilege/observed-commands.ts";
import { countAsExporter, countAsKeda, rarelyInApi, rarelyInConsumer } from "./least-privilege/rare-cases.ts";
import { unusedCommands } from "./least-privilege/unused-commands.ts";
import { statementsOf, unusedGrants } from "./least-privilege/unused-grants.ts";
import { startMailServer } from "./mail-server.ts";
import { anOwnRedis, type OwnRedis } from "./own-redis.ts";
import { silentLog } from "./pipeline.ts";
import { aSystem, eventAt, type System, signUpAt } from "./processes.ts";
import { aReceiver, type WebhookReceiver } from "./webhook-receiver.ts";

const WHERE = "one line in stream/acl.ts, or in database/roles.ts";

let redis: OwnRedis;
let admin: Redis;
let receiver: WebhookReceiver;
let system: System;
let log: CommandLog;

const connectAs = async (user: RedisUser): Promise<Redis> => {
  const connection = openCommandConnection({
    url: asRedisUser(redis.url, user),
    name: user,
    log: silentLog,
    commandTimeoutMs: 5_000,
  });
  await untilReady(connection, 5_000);
  return connection;
};

beforeAll(async () => {
  redis = await anOwnRedis();
  admin = new Redis(redis.url);
  receiver = await aReceiver();
  log = await recordCommands(admin);
  system = await aSystem({
    redisUrl: redis.url,
    mailServer: await startMailServer(moodyMailServer()),
    settings: {
      CONSUMER_NAME: "consumer",
      RETRY_GREYLIST_MS: "100",
      RECONCILE_AFTER_MS: "1000",
      STREAM_RETENTION_MS: "1000",
      LEDGER_RETENTION_MS: "604800000",
      REMINDER_DELAY_MS: "0",
      // A default does not count clients on loopback: this limit counts, and refuses nobody.
      RATE_LIMIT_GLOBAL: "100000",
      MAIL_RATE_PER_SECOND: "1000",
      WEBHOOKS: "crm",
      WEBHOOK_ALLOW_PRIVATE: "true",
      WEBHOOK_CRM_URL: receiver.url,
      WEBHOOK_CRM_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      // Metrics make the gauges count; nobody has to receive them.
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
    },
  });
  const name = new URL(system.database.url).pathname.slice(1);
  await asSuperuser(
    `alter database ${name} set log_statement = 'all'`,
    `alter database ${name} set log_parameter_max_length = 0`,
  );
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  admin.disconnect();
  await redis[Symbol.asyncDispose]();
});

const waitForSchema = async (role: (typeof SERVICE_ROLES)[number]): Promise<number> =>
  Bun.spawn([process.execPath, join(import.meta.dir, "..", "k8s", "wait-for-schema.ts")], {
    env: { PATH: process.env["PATH"], DATABASE_URL: asDatabaseRole(system.database.url, role) },
  }).exited;

/** An entry that the ledger does not know, which a consumer adopts: another event's, under an id of its own. */
const meetAStranger = async (): Promise<void> => {
  const events = system.database.db.selectFrom("events").selectAll().where("type", "=", "user.signed_up.v1");
  const id = Bun.randomUUIDv7();
  await enqueueLogged(admin, system.keys.events, [{ ...(await events.executeTakeFirstOrThrow()), event_id: id }]);
  await eventually(async () => {
    const found = system.database.db.selectFrom("deliveries").select("state").where("event_id", "=", id);
    return (await found.execute()).length > 0;
  });
};

const rarely = async (): Promise<void> => {
  const connections = await Promise.all(REDIS_USERS.map(connectAs));
  const [api, consumer, , keda, metrics] = connections;
  if (!(api && consumer && keda && metrics)) throw new Error("a user is missing");
  await rarelyInApi(api, admin, system.database.url);
  await rarelyInConsumer(consumer, system.database.url);
  await Promise.all([countAsKeda(keda), countAsExporter(metrics)]);
  for (const each of connections) each.disconnect();
};

/** Allowed whatever the rights are. */
const EVERYBODYS = ["auth", "hello", "quit", "reset"];

/** Each command of the server with as many arguments as it takes at least. */
const allCommands = async (redis: Redis): Promise<readonly { readonly name: string; readonly words: string[] }[]> => {
  const flattened = (reply: unknown): { readonly name: string; readonly words: string[] }[] => {
    if (!Array.isArray(reply)) return [];
    const [name, arity, , , , , , , , subcommands]: unknown[] = reply;
    if (Array.isArray(subcommands) && subcommands.length > 0) return subcommands.flatMap(flattened);
    const least = Math.abs(Number(arity));
    const words = String(name).split("|");
    return [{ name: String(name), words: [...words, ...Array.from({ length: least - words.length }, () => "1")] }];
  };
  const commands: unknown = await redis.call("COMMAND");
  return Array.isArray(commands) ? commands.flatMap(flattened) : [];
};

const commandsRefusedTo = async (redis: Redis, user: RedisUser): Promise<ReadonlySet<string>> => {
  const refused = new Set<string>();
  for (const { name, words } of await allCommands(redis)) {
    const verdict = await redis.call("ACL", "DRYRUN", user, ...words).catch((error: unknown) => String(error));
    if (String(verdict).includes("has no permissions to run")) refused.add(name);
  }
  return refused;
};

/** What the role of a connection may do with each table, or with a column of it. */
const privilegesOf = async (db: Database): Promise<readonly { readonly name: string; readonly has: boolean }[]> => {
  const found = await sql<{ name: string; has: boolean }>`
    select lower(privilege) || ' ' || tablename as name, has_table_privilege(tablename, privilege)
      or (privilege in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege(tablename, privilege)) as has
    from pg_tables cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
    where schemaname = 'public'`.execute(db);
  return found.rows;
};

const denialsOfRedis = async (): Promise<readonly string[]> => {
  const entries: unknown = await admin.call("ACL", "LOG");
  return (Array.isArray(entries) ? entries : []).map((entry: readonly unknown[]) => {
    const of = (name: string) => String(entry[entry.indexOf(name) + 1]);
    return `Redis user ${of("username")} lacks ${of("reason")} ${of("object")}: ${WHERE}`;
  });
};

test("the main path and every command of an operator run without a denial, and use each right that is granted", async () => {
  const name = new URL(system.database.url).pathname.slice(1);
  await admin.call("ACL", "LOG", "RESET");
  const inPrivate = { SIGNUP_DISCLOSURE: "private", PASSWORD_HASH_PASSES: "2" };
  const [api, other, consumer] = await Promise.all([system.api(), system.api(inPrivate), system.consumer()]);
  const events = await useTheService(system, api);
  await useItInPrivate(system, other, events);
  await operate(system, events);
  await meetAStranger();

  await pauseGroup(
    { pauses: pausesOf(system.database.db), redis: admin, keys: system.keys },
    { group: "welcome-email", reason: null, by: "test" },
  );
  const lost = await signUpAt(api);
  await admin.flushall();
  await system.database.db.deleteFrom("paused_groups").execute();
  await admin.del(system.keys.paused);
  await eventually(async () => (await eventAt(api, lost.eventId)).state === "sent");
  await Promise.all([rarely(), ...SERVICE_ROLES.map(waitForSchema)]);
  const processes = [api, other, consumer];
  for (const process of processes) process.kill("SIGTERM");
  await Promise.all(processes.map((process) => process.exited));

  const refused = processes
    .flatMap((process) => process.lines)
    .filter((line) => /NOPERM|42501|permission denied/.test(line))
    .map((line) => `${WHERE} is missing: ${line}`);
  expect([...refused, ...(await denialsOfRedis())]).toEqual([]);

  const observed = log.stop();
  const unused: string[] = [];
  for (const user of REDIS_USERS) {
    for (const grant of await unusedCommands(admin, user, observed)) unused.push(`Redis user ${user}: ${grant}`);
  }
  const statements = statementsOf(name);
  for (const role of SERVICE_ROLES) {
    const ran = statements.get(role) ?? [];
    for (const grant of await unusedGrants(system.database.url, role, ran)) unused.push(`${role}: ${grant}`);
  }
  expect(unused).toEqual([]);
});

describe("what is not granted is refused", () => {
  test.each([...REDIS_USERS])("to %s by Redis: every other command, and its own on any other key", async (user) => {
    const { may, grants } = REDIS_RIGHTS[user];
    const granted = new Set([...may, ...grants.flatMap((grant) => grant.may)]);
    const refused = await commandsRefusedTo(admin, user);
    // A command without its subcommands cannot be granted.
    const isGranted = (name: string) => granted.has(name) || granted.has(name.split("|")[0] ?? "");
    const others = (await allCommands(admin)).filter(({ name }) => !isGranted(name));
    expect(others.length).toBeGreaterThan(200);
    // HELLO, AUTH, QUIT and RESET are everybody's.
    expect(
      others
        .filter(({ name }) => !refused.has(name))
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(EVERYBODYS);
  });

  const stream = ["*", "id", "1"];
  test.each<readonly [RedisUser, ...string[]]>([
    ["api", "SET", "{signup}:events", "1"],
    ["api", "DEL", "{signup}:events"],
    ["api", "XADD", "{signup}:dead:welcome-email", ...stream],
    ["api", "SET", "{signup}:sent:welcome-email:1", "1"],
    ["api", "EVAL", "return 1", "1", "{signup}:paused"],
    ["api", "XADD", "{other}:elsewhere", ...stream],
    ["consumer", "SET", "{signup}:events", "1"],
    ["consumer", "XADD", "{signup}:events", ...stream],
    ["consumer", "XADD", "{signup}:events", "MAXLEN", "0", ...stream],
    ["consumer", "DEL", "{signup}:isolation:welcome-email", "{signup}:events"],
    ["consumer", "EVAL", "return 1", "1", "{signup}:paused"],
    ["ops", "XADD", "{signup}:events", ...stream],
    ["ops", "UNLINK", "{signup}:events"],
    ["ops", "XDEL", "{signup}:events", "1-1"],
    ["keda", "EVAL", "return 1", "1", "{signup}:events"],
    ["metrics", "XRANGE", "{signup}:events", "-", "+"],
  ])("to %s: %s %s", async (user, ...words) => {
    expect(String(await admin.call("ACL", "DRYRUN", user, ...words))).toContain("has no permissions");
  });

  test("by Postgres: every other operation on every table, and making one", async () => {
    const url = system.database.url;
    const found = await system.database.db
      .selectFrom(sql<{ tablename: string; tableowner: string }>`pg_tables`.as("pg_tables"))
      .select(["tablename", "tableowner"])
      .where(sql<boolean>`schemaname = 'public'`)
      .execute();
    const unknown = found.filter(({ tablename }) => !TABLES.includes(tablename));
    expect(unknown.map(({ tablename }) => `who may use ${tablename}? Say so in database/roles.ts`)).toEqual([]);
    expect(TABLES.filter((table) => !found.some(({ tablename }) => tablename === table))).toEqual([]);
    expect(new Set(found.map(({ tableowner }) => tableowner))).toEqual(new Set([MIGRATING_ROLE]));
    for (const role of SERVICE_ROLES) {
      const own = openDatabase({ url: asDatabaseRole(url, role), poolSize: 1, applicationName: "t" });
      const granted = new Set(grantsOf(role).map(({ table, privilege }) => `${privilege.split(" ")[0]} ${table}`));
      for (const { name, has } of await privilegesOf(own))
        expect({ role, name, has }).toEqual({ role, name, has: granted.has(name) });
      const making = sql`create table mine (id int)`.execute(own);
      expect(await making.catch((error: unknown) => error)).toMatchObject({ code: "42501" });
      if (role !== "signup_api") {
        const hashes = own.selectFrom("users").select("password_hash").execute();
        expect(await hashes.catch((error: unknown) => error)).toMatchObject({ code: "42501" });
      }
      await own.destroy();
    }
  });
});
