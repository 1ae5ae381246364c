import { type Database, openDatabase, statement } from "../database/connection.ts";
import { type ClaimOptions, claimDeliveries } from "../database/ledger/claim.ts";
import { countLedger } from "../database/ledger/counts.ts";
import { takeLostDeliveries } from "../database/ledger/lost.ts";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { readGroupStatuses } from "../stream/group-status.ts";
import { GROUPS, REMINDER_EMAIL } from "../stream/groups.ts";
import { promoteDue } from "../stream/scripts/promote.ts";
import { eventually } from "../tests/eventually.ts";
import { silentLog } from "../tests/pipeline.ts";
import { aSystem, type RunningProcess, type System, signUpAt } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { usedMemoryOf } from "./redis-figures.ts";
import { median, quantile } from "./statistics.ts";

/**
 * `bun bench/reminders.ts [waiting]`: the cost of reminders that wait. Measures the same with ten thousand of them and with a
 * million: what grows with the backlog shows. Then all of them wait for a retry instead, and then Redis loses everything.
 */
const [most = 1_000_000] = process.argv.slice(2).map(Number);
const FEW = 10_000;
const BATCH = 10_000;
const TIMES = 30;
const PROMOTED = 200;
const CLAIMED = 20;
const group = REMINDER_EMAIL.name;

type Redis = ReturnType<typeof openCommandConnection>;

/** Waiting deliveries $1 to $2, each with its user and its event; they are due in a day. */
const insertWaiting = statement<{ event_id: string; user_id: string }, [number, number]>(`
  with made as (
    select number, lpad(to_hex(number), 15, '0') as hex from generate_series($1::int, $2::int) as number),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select ('019000000000700' || '08' || hex)::uuid, 'w' || number, 'w' || number, 'w' || number || '@waiting.example',
      'w' || number || '@waiting.example', '$argon2id$none', 'en' from made
    returning id),
  new_events as (
    insert into events (event_id, type, subject, data, traceparent)
    select ('019000000001700' || '08' || hex)::uuid, 'user.signed_up.v1', ('019000000000700' || '08' || hex)::uuid::text,
      jsonb_build_object('user_id', ('019000000000700' || '08' || hex)::uuid, 'locale', 'en'),
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' from made
    returning event_id, subject),
  new_deliveries as (
    insert into deliveries (group_name, event_id, next_try_at, published_at)
    select '${group}', event_id, now() + interval '1 day', now() + interval '1 day' from new_events
    returning event_id)
  select event_id, subject as user_id from new_events join new_deliveries using (event_id) order by event_id`);

const makeDue = statement<{ event_id: string }, [number]>(`
  update deliveries set next_try_at = now(), published_at = now()
  where group_name = '${group}' and event_id in (
    select event_id from deliveries where group_name = '${group}' and state = 'queued' and published_at > now()
    order by event_id limit $1::int)
  returning event_id`);

const retryAll = statement<{ event_id: string }, [number]>(`
  with retried as (
    update deliveries set state = 'retrying', published_at = now() - interval '1 hour', next_try_at = now() + interval '1 hour'
    where group_name = '${group}' and event_id in (
      select event_id from deliveries where group_name = '${group}' and state in ('queued', 'active')
      limit $1::int)
    returning event_id)
  select event_id from retried limit 1`);

const dayLater = (): number => Date.now() + 86_400_000;

/** The member of the retry set, as the engine writes it. */
const memberOf = ({ event_id, user_id }: { readonly event_id: string; readonly user_id: string }): string =>
  JSON.stringify([
    ...["specversion", "1.0", "id", event_id, "source", "/signup-stream", "type", "user.signed_up.v1"],
    ...["subject", user_id, "time", "2026-01-01T00:00:00.000Z", "datacontenttype", "application/json"],
    ...["data", JSON.stringify({ user_id, locale: "en" })],
    ...["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ]);

interface Bench {
  readonly system: System;
  readonly api: RunningProcess;
  readonly db: Database;
  readonly redis: Redis;
}

const fill = async ({ db, redis, system }: Bench, from: number, to: number): Promise<void> => {
  for (let first = from; first < to; first += BATCH) {
    const rows = await insertWaiting(db, first, Math.min(to, first + BATCH) - 1);
    const scored = rows.flatMap((row) => [String(dayLater()), memberOf(row)]);
    await redis.zadd(system.keys.retrySet(group), ...scored);
  }
};

const timed = async (action: () => Promise<unknown>, times = TIMES): Promise<number[]> => {
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const startedAt = performance.now();
    await action();
    took.push(performance.now() - startedAt);
  }
  return took;
};

const say = (what: string, took: readonly number[]): void =>
  console.log(
    `  ${what.padEnd(46)} median ${median(took).toFixed(1)} ms, 95 % ${quantile(took, 0.95).toFixed(1)}, most ${Math.max(...took).toFixed(1)}`,
  );

const lost = ({ db }: Bench) =>
  takeLostDeliveries(db, { group, overtakenByMs: 0, reconcileAfterMs: 60_000, limit: 250 });

/** What `ops status` asks. */
const status = ({ db, redis, system }: Bench) =>
  Promise.all([readGroupStatuses(redis, system.keys, GROUPS), countLedger(db)]);

const measureClaims = async ({ db }: Bench): Promise<void> => {
  const due = (await makeDue(db, CLAIMED * TIMES)).map(({ event_id }) => event_id);
  const options: ClaimOptions = {
    ...{ group, consumer: "bench", leaseMs: 10_000, expireAfterMs: undefined, wallClockMs: 0 },
    ...{ isIdempotent: false, uncertain: "resend", token: Bun.randomUUIDv7() },
  };
  const batches = Array.from({ length: TIMES }, (_, at) => due.slice(at * CLAIMED, (at + 1) * CLAIMED));
  say(
    `claim of ${CLAIMED} that are due`,
    await timed(() =>
      claimDeliveries(
        db,
        (batches.pop() ?? []).map((event_id) => ({ event_id, lookup: "ready", reason: null })),
        options,
      ),
    ),
  );
};

const measure = async (bench: Bench): Promise<void> => {
  const { redis, system, api } = bench;
  const { keys, environment } = system;
  const streams = { retrySet: keys.retrySet(group), retriesStream: keys.retriesStream(group) };
  say("promote, none due", await timed(() => promoteDue(redis, streams, PROMOTED)));
  const due = await redis.zrange(streams.retrySet, "0", String(PROMOTED * TIMES - 1));
  await redis.zadd(streams.retrySet, ...due.flatMap((member) => ["1", member]));
  say(`promote, ${PROMOTED} due`, await timed(() => promoteDue(redis, streams, PROMOTED)));
  // They wait again.
  await redis.xtrim(streams.retriesStream, "MAXLEN", 0);
  await redis.zadd(streams.retrySet, ...due.flatMap((member) => [String(dayLater()), member]));
  await measureClaims(bench);
  say("look for lost deliveries", await timed(() => lost(bench)));
  say("ops status, both stores", await timed(() => status(bench)));
  const headers = { Authorization: `Bearer ${environment["SERVICE_TOKEN"]}` };
  const backlog = `${api.url}/api/v1/backlog/${group}`;
  say(`GET /api/v1/backlog/${group}`, await timed(async () => (await fetch(backlog, { headers })).text()));
  const { taken } = system.mailServer;
  say(
    "a signup's mail, from request to mail server",
    await timed(async () => {
      const before = taken.length;
      await signUpAt(api);
      await eventually(() => taken.length > before);
    }),
  );
};

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem();
  const { environment } = system;
  const url = environment["DATABASE_URL"] ?? "";
  const redisUrl = environment["REDIS_URL"] ?? "";
  const db = openDatabase({ url, poolSize: 2, applicationName: "bench", deadlineMs: 600_000 });
  const redis = openCommandConnection({ url: redisUrl, name: "bench", log: silentLog, commandTimeoutMs: 30_000 });
  await untilReady(redis, 5_000);
  const api = await system.api();
  // The reminder's consumer does not run while its parts are measured: it would promote what is due.
  await system.consumer({}, "welcome-email");
  const bench = { system, api, db, redis };
  const empty = await usedMemoryOf(redis);
  await fill(bench, 0, FEW);
  console.log(`${FEW} reminders wait`);
  await measure(bench);

  await fill(bench, FEW, most);
  const bytes = ((await usedMemoryOf(redis)) - empty) / most;
  console.log(`${most} reminders wait; ${bytes.toFixed(0)} bytes of Redis for each`);
  await measure(bench);

  for (let more = 1; more > 0; more = (await retryAll(db, 100_000)).length);
  console.log(`${most} wait for a retry`);
  say("look for lost deliveries", await timed(() => lost(bench)));
  say("ops status, both stores", await timed(() => status(bench)));

  await redis.flushall();
  console.log("Redis has lost everything");
  say("look for lost deliveries", await timed(() => lost(bench)));
  redis.disconnect();
  await db.destroy();
};

await main();
