import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { aConsole, type Person } from "../../api/console/console-for-tests.ts";
import { pause } from "../../ops/actions/pause.ts";
import { anOperator } from "../../ops/operator-for-tests.ts";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import { type Group, WELCOME_EMAIL } from "../../stream/groups.ts";
import { beat } from "../../stream/scripts/beat.ts";
import { anOwnRedis, type OwnRedis } from "../own-redis.ts";
import { aPipeline, aSignup, type Pipeline } from "../pipeline.ts";

const COUNT = 200;
const SIGNUPS = 20;
const CONSUMERS = 2;
const READINGS = 4;
/** Those in trouble: they have to be seen first. */
const DEAD = ["group-150", "group-199"];

const groups: readonly Group[] = Array.from({ length: COUNT }, (_, at) => ({
  ...WELCOME_EMAIL,
  name: `group-${String(at).padStart(3, "0")}`,
}));

let ownRedis: OwnRedis;
let pipeline: Pipeline;
let people: readonly Person[];

const REPORT: ConsumerReport = {
  startedAt: new Date().toISOString(),
  state: "reading",
  inFlight: 0,
  kept: 0,
  concurrency: 10,
  breaker: { state: "closed", since: new Date().toISOString() },
  waitingParties: 0,
  faults: {},
};

const beatAll = async (): Promise<void> => {
  const { redis, keys } = pipeline;
  await Promise.all(
    groups.flatMap(({ name }) =>
      Array.from({ length: CONSUMERS }, (_, at) =>
        beat(redis, { keys, group: name, consumer: `consumer-${at}` }, REPORT),
      ),
    ),
  );
};

beforeAll(async () => {
  // Redis counts the commands of all: in the one of the run, those of tests beside this one, too.
  ownRedis = await anOwnRedis();
  pipeline = await aPipeline(groups, undefined, ownRedis.url);
  const { db, redis, keys } = pipeline;
  await pipeline.signUp(...Array.from({ length: SIGNUPS }, () => aSignup()));
  // All is done, but for what is dead.
  await sql`update deliveries set state = 'done'`.execute(db);
  for (const group of DEAD) {
    await sql`update deliveries set state = 'dead', reason = 'content_refused' where group_name = ${group}`.execute(db);
    await redis.xadd(keys.dead(group), "*", "id", "1");
  }
  for (const { name } of groups) await redis.xgroup("SETID", keys.events, name, "$");
  await beatAll();
  const console = aConsole(pipeline);
  people = await Promise.all(Array.from({ length: 10 }, (_, at) => console.enter("reader", `reader-${at}`)));
}, 120_000);
afterAll(async () => {
  await pipeline?.[Symbol.asyncDispose]();
  await ownRedis?.[Symbol.asyncDispose]();
});

const redisCommands = async (): Promise<number> =>
  Number(/total_commands_processed:(\d+)/.exec(await pipeline.redis.info("stats"))?.[1]);

const statements = async (): Promise<number> => {
  // Postgres counts what a connection did when that is idle for a second.
  await Bun.sleep(1_500);
  const { rows } = await sql<{ count: number }>`
    select xact_commit::int as count from pg_stat_database where datname = current_database()`.execute(pipeline.db);
  return rows[0]?.count ?? 0;
};

type Reader = ReadableStreamDefaultReader<Uint8Array>;

const follow = async (person: Person): Promise<Reader> => {
  const { body } = await person.get("/console/now", { Accept: "text/event-stream" });
  if (body === null) throw new Error("the page is not followed");
  return body.getReader();
};

/** Resolves when the page was sent anew. */
const nextReading = async (reader: Reader): Promise<void> => {
  for (let isSent = false; !isSent; ) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream has ended");
    isSent = new TextDecoder().decode(value).includes("event: now");
  }
};

/** What the stores are asked for each reading while so many look: how many readings there are in a time is the machine's. */
const askedBy = async (looking: readonly Person[]) => {
  const readers = await Promise.all(looking.map(follow));
  await Promise.all(readers.map(nextReading));
  const before = { postgres: await statements(), redis: await redisCommands() };
  for (let reading = 0; reading < READINGS; reading += 1) await Promise.all(readers.map(nextReading));
  const after = { redis: await redisCommands(), postgres: await statements() };
  await Promise.all(readers.map((reader) => reader.cancel()));
  return {
    redis: (after.redis - before.redis) / READINGS,
    postgres: (after.postgres - before.postgres) / READINGS,
  };
};

test("200 groups: the page is quick, what is in trouble comes first, and what is quiet is folded", async () => {
  const [person] = people;
  const times: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    // Longer than a reading stays fresh.
    await Bun.sleep(3_000);
    await beatAll();
    const startedAt = performance.now();
    await person?.read("/console");
    times.push(performance.now() - startedAt);
  }
  const page = (await person?.read("/console")) ?? "";
  const median = times.toSorted((left, right) => left - right)[2] ?? 0;
  console.log({ ms: times.map(Math.round), kB: Math.round(page.length / 1_000) });
  const shown = page.slice(page.indexOf('aria-label="Groups"'), page.indexOf("quiet groups"));
  expect([...shown.matchAll(/data-name="(group-\d+)"/g)].map(([, name]) => name)).toEqual(DEAD);
  expect(page).toContain("198 quiet groups");
  // Far above what it takes, for a busy machine.
  expect(median).toBeLessThan(3_000);
}, 60_000);

test("200 groups: what can be paused is near, paused ones first, and the rest is folded or found by name", async () => {
  const [person] = people;
  const [first, ...others] = groups.toReversed();
  if (first === undefined) throw new Error("there is no group");
  await pause(anOperator(pipeline), first);
  const rows = (html: string) => [...html.matchAll(/href="\/console\/groups\/(group-\d+)"/g)].map(([, name]) => name);
  const page = (await person?.read("/console/act")) ?? "";
  const near = page.slice(0, page.indexOf("more groups"));
  expect(rows(near)[0]).toBe(first.name);
  expect(rows(near).length).toBe(13);
  expect(new Set(rows(page)).size).toBe(COUNT);
  expect(rows((await person?.read(`/console/act?filter=${others[50]?.name}`)) ?? "")).toEqual([others[50]?.name ?? ""]);
}, 60_000);

test("ten open consoles of 200 groups cost the stores no more than one", async () => {
  const one = await askedBy(people.slice(0, 1));
  const ten = await askedBy(people);
  console.log({ one, ten });
  expect(ten.redis).toBeLessThan(one.redis * 1.5);
  expect(ten.postgres).toBeLessThan(one.postgres * 1.5 + 10);
}, 120_000);
