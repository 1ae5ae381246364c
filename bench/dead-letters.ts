import assert from "node:assert/strict";
import { openDatabase, statement } from "../database/connection.ts";
import { countReasonsOf, listDeliveries } from "../database/ledger/list.ts";
import { actOnDeliveries, previewAction } from "../ops/actions/deliveries/act.ts";
import { anOperator } from "../ops/operator-for-tests.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { aPipeline, type Pipeline } from "../tests/pipeline.ts";
import { startTestServers, type TestServers } from "../tests/servers.ts";
import { cpuOf, cpuOfFamily } from "./cpu.ts";

/**
 * `bun bench/dead-letters.ts [letters]`: what operators wait for among many dead letters: pages of the list, counts by reason, the
 * preview of a retry of all, and the retry itself.
 */
const [MANY = 200_000] = process.argv.slice(2, 3).map(Number);
const SLICE = 1_000;
const group = WELCOME_EMAIL.name;

interface Made {
  readonly event_id: string;
  readonly data: string;
}

/** $1 how many, $2 their state. */
const fill = statement<Made, [number, string]>(`
  with made as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select id, 'user-' || id, 'user-' || id, id || '@inbox.example', id || '@inbox.example', 'none', 'en'
    from (select gen_random_uuid() as id from generate_series(1, $1::int)) as ids returning id),
  logged as (
    insert into events (event_id, type, subject, data, traceparent)
    select gen_random_uuid(), 'user.signed_up.v1', id, jsonb_build_object('user_id', id, 'locale', 'en'),
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' from made
    returning event_id, data),
  delivered as (
    insert into deliveries (group_name, event_id, state, reason, timeline)
    select '${group}', event_id, $2::text,
      case when $2::text = 'dead' then 'reason-' || (random() * 5)::int end,
      jsonb_build_array(jsonb_build_object('at', now(), 'state', 'queued'),
        jsonb_build_object('at', now(), 'state', 'active', 'by', 'consumer-1', 'attempt', 1),
        jsonb_build_object('at', now(), 'state', $2::text, 'by', 'consumer-1'))
    from logged)
  select event_id, data::text as data from logged`);
const vacuum = statement<never, []>("vacuum analyze");
const indexes = statement<{ name: string; size: string }, []>(`
  select indexrelname as name, pg_size_pretty(pg_relation_size(indexrelid)) as size
  from pg_stat_user_indexes where relname = 'deliveries' order by 1`);

const addLetters = async ({ redis, keys }: Pipeline, made: readonly Made[], first: number): Promise<void> => {
  const pipeline = redis.pipeline();
  for (const [index, { event_id: id, data }] of made.entries()) {
    const fields = ["id", id, "type", "user.signed_up.v1", "data", data, "attempts", "1"];
    const letterId = `1-${first + index + 1}`;
    const letter = ["event_id", id, "reason", "mailbox_full", "in_ledger", "1", "fields", JSON.stringify(fields)];
    pipeline.xadd(keys.dead(group), letterId, ...letter);
    pipeline.hset(keys.deadIndex(group), id, letterId);
  }
  await pipeline.exec();
};

const timed = async <T>(what: string, work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> => {
  const startedAt = performance.now();
  const result = await work();
  const ms = performance.now() - startedAt;
  console.log(`${what}: ${ms.toFixed(0)} ms`);
  return { result, ms };
};

/** CPU so far, in µs, of who works on letters. */
const cpuSoFar = ({ pids }: TestServers): Readonly<Record<string, number>> => ({
  "this process": cpuOf(process.pid),
  Postgres: cpuOfFamily(pids.postgres),
  Redis: cpuOf(pids.redis),
});

/** As `timed`, with the CPU for each letter: other work on the machine changes it less. */
const costed = async <T>(servers: TestServers, what: string, work: () => Promise<T>): Promise<T> => {
  const before = cpuSoFar(servers);
  const { result } = await timed(what, work);
  const costs = Object.entries(cpuSoFar(servers)).map(
    ([who, cpu]) => `${who} ${((cpu - (before[who] ?? 0)) / MANY).toFixed(0)}`,
  );
  console.log(`${what}, µs of CPU for each letter: ${costs.join(", ")}`);
  return result;
};

const run = async (servers: TestServers): Promise<void> => {
  await using pipeline = await aPipeline();
  const filling = openDatabase({ url: pipeline.url, poolSize: 1, applicationName: "fill", deadlineMs: 600_000 });
  for (let made = 0; made < MANY; made += SLICE) {
    await addLetters(pipeline, await fill(filling, SLICE, "dead"), made);
    await fill(filling, SLICE, "done");
  }
  await vacuum(filling);
  const operator = anOperator(pipeline);
  const { db } = operator;
  const first = { groups: pipeline.groups.map(({ name }) => name), state: "dead", limit: 50 } as const;
  for (let time = 0; time < 3; time += 1) {
    const page = await timed("first page", () => listDeliveries(db, first));
    await timed("counts by reason", () => countReasonsOf(db, first));
    const cursor = page.result.next ?? undefined;
    await timed("second page", () => listDeliveries(db, { ...first, cursor }));
    await timed("first page of a reason", () => listDeliveries(db, { ...first, reason: "reason-1" }));
    await timed("first page of what is done", () => listDeliveries(db, { ...first, state: "done" }));
  }
  const all = { kind: "all", state: "dead" } as const;
  const preview = await costed(servers, "preview of a retry", () =>
    previewAction(operator, "retry", WELCOME_EMAIL, all),
  );
  assert.deepEqual(preview.outcomes, { queued: MANY });
  const retry = await costed(servers, "retry of all", () => actOnDeliveries(operator, "retry", WELCOME_EMAIL, all));
  assert.deepEqual(retry, preview);
  console.log(`memory of this process: ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`);
  for (const { name, size } of await indexes(filling)) console.log(`${name}: ${size}`);
  await filling.destroy();
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
await run(servers);
