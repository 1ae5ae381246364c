import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { pausesOf } from "../../database/groups/pauses.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { dropGroup } from "../../stream/drop-group.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { pauseGroup, resumeGroup } from "../../stream/pauses.ts";
import { eventually } from "../eventually.ts";
import { EXAMPLE_GROUP } from "../example-group.ts";
import { type MailServer, startMailServer } from "../mail-server.ts";
import { redisUrl, silentLog } from "../pipeline.ts";
import { aSystem, type RunningProcess, type System, signUpAt } from "../processes.ts";

interface TwoGroups extends System {
  /** Ids of the events that the example's group has worked on, each as often as it was. */
  work(): Promise<readonly string[]>;
}

/** A system with the welcome mail's group and the example's, which appends to a file of the test's own. */
const twoGroups = async (mailServer?: MailServer): Promise<TwoGroups> => {
  const folder = await mkdtemp(join(tmpdir(), "example-work-"));
  const file = join(folder, "work");
  const system = await aSystem({
    withExample: true,
    settings: { EXAMPLE_WORK_FILE: file },
    ...(mailServer === undefined ? {} : { mailServer }),
  });
  return {
    ...system,
    work: async () => (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== ""),
    [Symbol.asyncDispose]: async () => {
      await system[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
};

/** Enough that some are in flight whenever something happens. */
const SIGNUPS = 40;

const signUp = async (api: RunningProcess, count = SIGNUPS): Promise<readonly string[]> => {
  const signups = await Promise.all(Array.from({ length: count }, () => signUpAt(api)));
  expect(signups.every(({ status }) => status === 201)).toBe(true);
  return signups.map(({ eventId }) => eventId);
};

const allMailed = ({ mailServer }: System, eventIds: readonly string[]) =>
  eventually(() => eventIds.every((eventId) => mailServer.copiesOf(eventId) > 0), 20_000);

const allWorked = (system: TwoGroups, eventIds: readonly string[]) =>
  eventually(async () => {
    const work = new Set(await system.work());
    return eventIds.every((eventId) => work.has(eventId));
  }, 20_000);

/** The group that is interfered with, and how to see that it, or the other one, has done its share. */
const SIDES = {
  mail: {
    name: WELCOME_EMAIL.name,
    all: allMailed,
    count: async ({ mailServer }: TwoGroups) => mailServer.taken.length,
  },
  example: {
    name: EXAMPLE_GROUP.name,
    all: allWorked,
    count: async (system: TwoGroups) => (await system.work()).length,
  },
} as const;

const BOTH_WAYS = [
  [SIDES.mail, SIDES.example],
  [SIDES.example, SIDES.mail],
] as const;

/** Waits until the ledger says of both deliveries of each event that they are done; returns how many are uncertain, by group. */
const allDone = async (
  { database }: System,
  eventIds: readonly string[],
): Promise<Readonly<Record<string, number>>> => {
  const rows = await eventually(async () => {
    const now = await database.db
      .selectFrom("deliveries")
      .select(["group_name", "state", "uncertain"])
      .where("group_name", "in", [WELCOME_EMAIL.name, EXAMPLE_GROUP.name])
      .where("event_id", "in", eventIds)
      .execute();
    return now.length === 2 * eventIds.length && now.every(({ state }) => state === "done") && now;
  }, 20_000);
  const uncertain: Record<string, number> = { [WELCOME_EMAIL.name]: 0, [EXAMPLE_GROUP.name]: 0 };
  for (const row of rows) uncertain[row.group_name] = (uncertain[row.group_name] ?? 0) + row.uncertain;
  return uncertain;
};

const NONE_UNCERTAIN = { [WELCOME_EMAIL.name]: 0, [EXAMPLE_GROUP.name]: 0 };

const storesOf = ({ database, keys }: System, redis: Redis) => ({
  pauses: pausesOf(database.db),
  redis,
  keys,
});
const pauseOf = (group: string) => ({ group, reason: null, by: "test" });

/** The work on these events, in no order. */
const workOn = async (system: TwoGroups, eventIds: readonly string[]): Promise<readonly string[]> =>
  (await system.work()).filter((eventId) => eventIds.includes(eventId)).sort();

/** How many mails each of the events has, without repetition. */
const copiesOfEach = ({ mailServer }: System, eventIds: readonly string[]) =>
  new Set(eventIds.map((eventId) => mailServer.copiesOf(eventId)));

/** Each of the events was one mail and one piece of the other's work. */
const expectEachOnce = async (system: TwoGroups, eventIds: readonly string[]): Promise<void> => {
  expect(await allDone(system, eventIds)).toEqual(NONE_UNCERTAIN);
  expect(copiesOfEach(system, eventIds)).toEqual(new Set([1]));
  expect(await workOn(system, eventIds)).toEqual([...eventIds].sort());
};

describe("every signup is a mail and a piece of the other group's work", () => {
  const shared = new AsyncDisposableStack();
  let system: TwoGroups;
  let api: RunningProcess;
  let redis: Redis;

  beforeAll(async () => {
    system = shared.use(await twoGroups());
    redis = shared.adopt(
      openCommandConnection({ url: redisUrl(), name: "test", commandTimeoutMs: 2_000, log: silentLog }),
      (connection) => connection.disconnect(),
    );
    [api] = await Promise.all([system.api(), untilReady(redis, 5_000)]);
  });
  afterEach(() => system.endConsumers());
  afterAll(() => shared.disposeAsync());

  test("100 in one consumer of both groups, the other one slow and failing now and then", async () => {
    await system.consumer({ EXAMPLE_SLOW_SHARE: "0.1", EXAMPLE_FAILING_SHARE: "0.1" });
    await expectEachOnce(system, await signUp(api, 100));
  });

  test("while one of the groups is paused: the other goes on", async () => {
    const eventIds: string[] = [];
    for (const [paused, other] of BOTH_WAYS) {
      // Paused before its consumer starts: not one entry slips through.
      await pauseGroup(storesOf(system, redis), pauseOf(paused.name));
      const consumer = await system.consumer();
      const before = await paused.count(system);
      const round = await signUp(api);
      eventIds.push(...round);
      await other.all(system, round);
      expect(await paused.count(system)).toBe(before);
      await resumeGroup(storesOf(system, redis), paused.name);
      await paused.all(system, round);
      consumer.kill("SIGTERM");
      await consumer.exited;
    }
    await expectEachOnce(system, eventIds);
  });

  test("though one of the groups is dropped: the api makes it again, and its work is done from the log", async () => {
    await system.consumer();
    const eventIds: string[] = [];
    for (const [dropped, other] of BOTH_WAYS) {
      await pauseGroup(storesOf(system, redis), pauseOf(dropped.name));
      const round = await signUp(api);
      eventIds.push(...round);
      await other.all(system, round);
      expect(await dropGroup(redis, system.keys, dropped.name)).toBe(true);
      await resumeGroup(storesOf(system, redis), dropped.name);
      await dropped.all(system, round);
    }
    await expectEachOnce(system, eventIds);
  });

  test.each(BOTH_WAYS.map(([stopped, other]) => [stopped.name, other.name, stopped, other] as const))(
    "while the consumer of %s is stopped: %s goes on, and the next consumer does the rest",
    async (_, _other, stopped, other) => {
      const slow = { EXAMPLE_SLOW_SHARE: "0.1" };
      const [victim] = await Promise.all([system.consumer(slow, stopped.name), system.consumer(slow, other.name)]);
      const before = await stopped.count(system);
      const round = signUp(api);
      await eventually(async () => (await stopped.count(system)) > before);
      victim.kill("SIGTERM");
      expect(await victim.exited).toBe("exit code 0");
      const eventIds = [...(await round), ...(await signUp(api, 20))];
      await other.all(system, eventIds);
      await system.consumer(slow, stopped.name);
      await expectEachOnce(system, eventIds);
    },
  );

  test("while the other's consumer is killed: each mail is sent once, and nothing of an idempotent group is uncertain", async () => {
    const slow = { EXAMPLE_SLOW_SHARE: "1" };
    const [victim] = await Promise.all([
      system.consumer(slow, EXAMPLE_GROUP.name),
      system.consumer({}, WELCOME_EMAIL.name),
    ]);
    const before = (await system.work()).length;
    const eventIds = await signUp(api);
    await eventually(async () => (await system.work()).length > before);
    victim.kill("SIGKILL");
    await allMailed(system, eventIds);
    await system.consumer(slow, EXAMPLE_GROUP.name);
    expect(await allDone(system, eventIds)).toEqual(NONE_UNCERTAIN);
    expect(copiesOfEach(system, eventIds)).toEqual(new Set([1]));
    // Done twice is done once, in such a group.
    expect(new Set(await workOn(system, eventIds))).toEqual(new Set(eventIds));
  });
});

test("while the mails' consumer is killed: the other goes on, and duplicates never exceed what is uncertain", async () => {
  const unanswered = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const mailServer = await startMailServer({
    beforeReply: () => {
      arrived.resolve();
      return unanswered.promise;
    },
  });
  await using system = await twoGroups(mailServer);
  const [api, victim] = await Promise.all([
    system.api(),
    system.consumer({}, WELCOME_EMAIL.name),
    system.consumer({}, EXAMPLE_GROUP.name),
  ]);
  const eventIds = await signUp(api);
  await arrived.promise;
  victim.kill("SIGKILL");
  await allWorked(system, eventIds);
  unanswered.resolve();
  await system.consumer({}, WELCOME_EMAIL.name);
  const uncertain = await allDone(system, eventIds);
  await allMailed(system, eventIds);
  const duplicates = mailServer.taken.length - eventIds.length;
  expect(duplicates).toBeLessThanOrEqual(uncertain[WELCOME_EMAIL.name] ?? 0);
  expect(uncertain[EXAMPLE_GROUP.name]).toBe(0);
  expect(await workOn(system, eventIds)).toEqual([...eventIds].sort());
});
