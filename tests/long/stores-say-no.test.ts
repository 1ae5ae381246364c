import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { sql } from "kysely";
import { randomHex } from "../../observability/trace-context.ts";
import { aclRulesOf, REDIS_RIGHTS } from "../../stream/acl.ts";
import { asSuperuser } from "../database.ts";
import { eventually } from "../eventually.ts";
import { anOwnRedis } from "../own-redis.ts";
import { aSystem, eventAt, type RunningProcess, type SignedUp, type System, signUpAt } from "../processes.ts";
import { aNode, ask, LOCAL } from "../redis-node.ts";

interface Faults {
  readonly groups: readonly { readonly faults: Readonly<Record<string, string>> }[];
}

const faultsOfConsumer = async (consumer: RunningProcess): Promise<string> => {
  const { groups }: Faults = await (await fetch(`${consumer.url}/readyz`)).json();
  return JSON.stringify(groups.map(({ faults }) => faults));
};
const isSent =
  (api: RunningProcess, { eventId }: SignedUp) =>
  async () =>
    (await eventAt(api, eventId)).state === "sent";
const linesWith = (process: RunningProcess, text: string) => process.lines.filter((line) => line.includes(text));

const USERS = ["api", "consumer"] as const;
/** `signup` of `{signup}:events`. */
const nameIn = (events: string): string => /\{(.*)\}/.exec(events)?.[1] ?? "";

/** The ways in which Redis refuses commands, and how each ends. */
const REFUSALS: readonly {
  readonly code: string;
  readonly refuse: (redis: Redis, events: string) => Promise<unknown>;
  readonly restore: (redis: Redis, events: string) => Promise<unknown>;
}[] = [
  {
    code: "OOM",
    refuse: (redis) => redis.config("SET", "maxmemory", "1"),
    restore: (redis) => redis.config("SET", "maxmemory", "0"),
  },
  {
    code: "READONLY",
    refuse: (redis) => redis.replicaof("127.0.0.1", 1),
    restore: (redis) => redis.replicaof("NO", "ONE"),
  },
  {
    code: "NOREPLICAS",
    refuse: (redis) => redis.config("SET", "min-replicas-to-write", "1"),
    restore: (redis) => redis.config("SET", "min-replicas-to-write", "0"),
  },
  {
    code: "MASTERDOWN",
    refuse: async (redis) => {
      await redis.config("SET", "replica-serve-stale-data", "no");
      await redis.replicaof("127.0.0.1", 1);
    },
    restore: async (redis) => {
      await redis.replicaof("NO", "ONE");
      await redis.config("SET", "replica-serve-stale-data", "yes");
    },
  },
  {
    code: "WRONGTYPE",
    refuse: (redis, events) => redis.set(events, "in the way"),
    restore: (redis, events) => redis.del(events),
  },
  {
    code: "NOPERM",
    refuse: (redis) => Promise.all(USERS.map((user) => redis.acl("SETUSER", user, "clearselectors"))),
    restore: (redis, events) =>
      Promise.all(USERS.map((user) => redis.acl("SETUSER", user, ...aclRulesOf(REDIS_RIGHTS[user], nameIn(events))))),
  },
];

describe("Redis refuses", () => {
  // One system meets them all: each must be over when it is over.
  const shared = new AsyncDisposableStack();
  let system: System;
  let api: RunningProcess;
  let consumer: RunningProcess;
  let admin: Redis;

  beforeAll(async () => {
    const redis = shared.use(await anOwnRedis());
    system = shared.use(await aSystem({ redisUrl: redis.url }));
    api = await system.api();
    consumer = await system.consumer();
    admin = shared.adopt(new Redis(redis.url), (client) => client.disconnect());
  });
  afterAll(() => shared.disposeAsync());

  for (const { code, refuse, restore } of REFUSALS) {
    test(`${code}: signups succeed, health shows it, one line per process is logged, and it recovers by itself`, async () => {
      const failures = () => linesWith(consumer, "reader of welcome-email failed").length;
      const failuresBefore = failures();
      const { events } = system.keys;
      await refuse(admin, events);
      const during = await signUpAt(api);
      expect(during.status).toBe(201);
      await eventually(async () => (await (await fetch(`${api.url}/readyz`)).text()).includes(code), 15_000);
      if (code !== "OOM") await eventually(async () => (await faultsOfConsumer(consumer)).includes(code), 15_000);
      expect((await fetch(`${consumer.url}/livez`)).status).toBe(200);
      await restore(admin, events);
      await eventually(isSent(api, during), 20_000);
      const after = await signUpAt(api);
      await eventually(isSent(api, after), 20_000);
      expect(system.mailServer.copiesOf(during.eventId)).toBe(1);
      expect(failures() - failuresBefore).toBeLessThanOrEqual(3);
    });
  }
});

test("Redis loads its data: signups succeed, health says LOADING, and nothing is lost when it has", async () => {
  const directory = mkdtempSync(join(LOCAL, "test-loading-"));
  const node = await aNode(directory, () => ["--enable-debug-command", "local"]);
  await node.start();
  try {
    await using system = await aSystem({ redisUrl: `redis://127.0.0.1:${node.port}` });
    const api = await system.api();
    await system.consumer();
    const before = await signUpAt(api);
    await eventually(isSent(api, before), 20_000);
    await ask(node.port, "CONFIG", "SET", "loading-process-events-interval-bytes", "1024");
    // A third of a second for each key, during which it answers others whenever a kilobyte was read; the command itself, when all is loaded.
    await ask(node.port, "CONFIG", "SET", "key-load-delay", "300000");
    const loading = new Redis(node.port, "127.0.0.1", { retryStrategy: () => null });
    await loading.mset(...Array.from({ length: 8 }, (_, at) => [`large-${at}`, randomHex(2_048)]).flat());
    const loaded = loading.call("DEBUG", "RELOAD");
    await eventually(async () => (await (await fetch(`${api.url}/readyz`)).text()).includes("LOADING"), 15_000);
    const during = await signUpAt(api);
    expect(during.status).toBe(201);
    await loaded;
    loading.disconnect();
    await eventually(isSent(api, during), 20_000);
    expect(system.mailServer.copiesOf(during.eventId)).toBe(1);
  } finally {
    await node.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}, 90_000);

/** A trigger that fails as a server would that has no room, or no time. */
const failingWith = (code: string) => [
  `create function refuse() returns trigger language plpgsql as $$ begin raise 'refused' using errcode = '${code}'; end $$`,
  "create trigger refuse before insert on users execute function refuse()",
  "create trigger refuse before update on deliveries execute function refuse()",
];
const WORKING = ["drop function refuse cascade"];

describe("Postgres refuses", () => {
  let system: System;
  let api: RunningProcess;
  let consumer: RunningProcess;
  const shared = new AsyncDisposableStack();
  beforeAll(async () => {
    system = shared.use(await aSystem());
    api = await system.api();
    consumer = await system.consumer();
  });
  afterAll(() => shared.disposeAsync());

  test.each([
    ["read-only", "25006", ["default_transaction_read_only = on"], ["default_transaction_read_only = off"]],
    ["the disk is full", "53100", failingWith("53100"), WORKING],
    ["every statement times out", "57014", failingWith("57014"), WORKING],
  ])(
    "%s: 503 with Retry-After and no half-made user, and health says why (%s); then it goes on",
    async (_, code, refusing, working) => {
      const { url } = system.database;
      const name = new URL(url).pathname.slice(1);
      const restart = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`;
      const change = async (statements: readonly string[]) => {
        for (const text of statements) {
          if (text.startsWith("default_")) await asSuperuser(`alter database ${name} set ${text}`, restart);
          else await sql.raw(text).execute(system.database.db);
        }
      };
      const person = `half-${randomHex(4)}`;
      const body = { user_name: person, email: `${person}@inbox.example` };
      await change(refusing);
      const refused = await eventually(async () => {
        const response = await fetch(`${api.url}/api/v1/user/`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...body, password: "correct horse battery" }),
        });
        return response.status === 503 && response;
      });
      expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
      await eventually(async () => {
        await signUpAt(api, body);
        const { checks }: { checks: { signups?: string } } = await (await fetch(`${api.url}/readyz`)).json();
        return checks.signups?.includes(code);
      });
      expect((await fetch(`${consumer.url}/livez`)).status).toBe(200);
      await change(working);
      const signup = await eventually(async () => {
        const made = await signUpAt(api, body);
        return made.status === 201 && made;
      }, 20_000);
      await eventually(isSent(api, signup), 20_000);
    },
  );

  test("every connection is taken, or all are cut: 503, then it goes on; nothing is sent twice", async () => {
    await using system = await aSystem();
    const api = await system.api();
    await system.consumer();
    const before = await signUpAt(api);
    await eventually(isSent(api, before));
    const name = new URL(system.database.url).pathname.slice(1);
    const cut = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`;
    await asSuperuser(`alter database ${name} allow_connections false`, cut);
    await eventually(async () => (await signUpAt(api)).status === 503);
    expect((await fetch(`${api.url}/livez`)).status).toBe(200);
    await asSuperuser(`alter database ${name} allow_connections true`);
    const after = await eventually(async () => {
      const made = await signUpAt(api);
      return made.status === 201 && made;
    }, 20_000);
    await eventually(isSent(api, after), 20_000);
    expect(system.mailServer.copiesOf(before.eventId)).toBe(1);
    expect(system.mailServer.copiesOf(after.eventId)).toBe(1);
  });
});
