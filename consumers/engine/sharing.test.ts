import { expect, jest, test } from "bun:test";
import type { OwnShare, PoolShare, Said } from "../../stream/scripts/share.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, silentLog } from "../../tests/pipeline.ts";
import type { Places } from "./handler.ts";
import { answersOf, type SharedTable, sharedTable, startSharing } from "./sharing.ts";

type Row = readonly [pool: string, has: number, idle?: number, more?: "asks" | "asks for long" | "held long"];

/** `a1` is a pool of the group `a`. */
const pools = (rows: readonly Row[]): readonly PoolShare[] =>
  rows.map(([pool, has, idle = 0, more]) => ({
    ...{ pool, group: pool.slice(0, 1), has, idle },
    ...{
      mayBeLeftWithout: more === "held long",
      askedAt: more === "asks" ? 9 : more === "asks for long" ? 3 : undefined,
    },
  }));

/** Who answers whom. */
const answers = (rows: readonly Row[]): Readonly<Record<string, string>> =>
  Object.fromEntries(answersOf(pools(rows)).map(({ giver, asker }) => [giver, asker]));

const CASES: readonly (readonly [string, readonly Row[], Readonly<Record<string, string>>])[] = [
  [
    "one that has most gives up a place for another group that has none",
    [
      ["a1", 2],
      ["b1", 0, 0, "asks"],
    ],
    { a1: "b1" },
  ],
  [
    "nobody does where all groups have as many, or one more",
    [
      ["a1", 3],
      ["b1", 2, 0, "asks"],
    ],
    {},
  ],
  [
    "a group has what its consumers have together",
    [
      ["a1", 1],
      ["a2", 1],
      ["b1", 0, 0, "asks"],
    ],
    { a1: "b1" },
  ],
  [
    "and needs no more because one of its consumers has none",
    [
      ["a1", 3],
      ["b1", 3],
      ["b2", 0, 0, "asks"],
    ],
    {},
  ],
  [
    "consumers of one group give each other nothing",
    [
      ["a1", 9, 4],
      ["a2", 0, 0, "asks"],
    ],
    {},
  ],
  [
    "what is idle goes first",
    [
      ["a1", 9],
      ["c1", 3, 1],
      ["b1", 0, 0, "asks"],
    ],
    { c1: "b1" },
  ],
  [
    "but not to a group that has more: who has little to do needs it in a moment",
    [
      ["a1", 2, 1],
      ["b1", 8, 0, "asks"],
    ],
    {},
  ],
  [
    "nor to one that has as many",
    [
      ["a1", 1, 1],
      ["b1", 1, 0, "asks"],
    ],
    {},
  ],
  [
    "the only one of all stays where it is for a while",
    [
      ["a1", 1],
      ["b1", 0, 0, "asks"],
    ],
    {},
  ],
  [
    "and then goes",
    [
      ["a1", 1, 0, "held long"],
      ["b1", 0, 0, "asks"],
    ],
    { a1: "b1" },
  ],
  [
    "several that ask are answered by several, the poorest by the richest",
    [
      ["a1", 5],
      ["a2", 4],
      ["b1", 2, 0, "asks"],
      ["c1", 0, 0, "asks"],
    ],
    { a1: "c1", a2: "b1" },
  ],
  [
    "of those that have as many who has asked for longest",
    [
      ["a1", 1, 0, "held long"],
      ["b1", 0, 0, "asks"],
      ["c1", 0, 0, "asks for long"],
    ],
    { a1: "c1" },
  ],
];

test.each(CASES)("%s", (_, rows, expected) => {
  expect(answers(rows)).toEqual(expected);
  expect(answers(rows.toReversed())).toEqual(expected);
});

const [a1, b1] = pools([
  ["a1", 7, 2, "held long"],
  ["b1", 0],
]);
if (a1 === undefined || b1 === undefined) throw new Error("two pools");

const aTableOf = ({ redis, keys }: Awaited<ReturnType<typeof aPipeline>>) => {
  const table = sharedTable(redis, keys, "mail.example:25");
  return {
    ...table,
    say: ({ askedAt: _, ...share }: PoolShare, request: OwnShare["request"] = "none", withoutSince?: number) =>
      table.say({ ...share, request, withoutSince }),
  };
};

test("pools tell each other by Redis what they have; who asks hears that it was answered, and a request is forgotten if it is not repeated", async () => {
  await using pipeline = await aPipeline();
  const { say, answer, leave } = aTableOf(pipeline);
  const alone = { isAnswered: false, askedAt: undefined, othersHave: 0, groups: 1, asking: 0 };
  expect(await say(a1)).toEqual({ ...alone, asker: undefined, all: undefined });

  // One that is new is not alone.
  expect(await say(b1, "new")).toMatchObject({ isAnswered: false, othersHave: 7, groups: 2 });
  const asked = await eventually(async () => {
    const said = await say(b1, "repeated");
    return said.all !== undefined && said;
  });
  expect(asked).toMatchObject({ isAnswered: false, othersHave: 7, groups: 2, asking: 1 });
  const { askedAt } = asked;
  expect(askedAt).toBeGreaterThan(0);
  expect(asked.all?.toSorted((one, other) => (one.pool < other.pool ? -1 : 1))).toEqual([a1, { ...b1, askedAt }]);
  // What one has is known to others at once.
  await say({ ...a1, has: 5 });
  expect(await say(b1, "repeated")).toMatchObject({ othersHave: 5 });
  await answer("b1");
  expect(await say(b1, "repeated")).toMatchObject({ isAnswered: true, askedAt: undefined });

  // Robbed of it: it asks again, and stays where it was in the line.
  expect((await say(b1, "new", askedAt)).askedAt).toBe(askedAt);
  await eventually(async () => (await say(a1)).asking === 0);

  await leave("a1");
  await eventually(async () => (await say(b1)).groups === 1);
  expect((await say(b1)).othersHave).toBe(0);
});

test("one pool decides for all; the one that is to give a place up hears of it, unless it has fewer meanwhile, or nobody asks any more", async () => {
  await using pipeline = await aPipeline();
  const { say, assign, answer } = aTableOf(pipeline);
  await say(a1);
  await say(b1, "new");
  const all = await eventually(async () => (await say(b1, "repeated")).all);
  /** What it hears where nobody, itself included, has looked at all again since it was decided. */
  const hears = async (share: PoolShare): Promise<string | undefined> => {
    let asker: string | undefined;
    await eventually(async () => {
      await assign(answersOf(all));
      const said = await say(share);
      asker = said.asker;
      return said.all === undefined;
    });
    return asker;
  };
  await say(b1, "repeated");
  expect(await hears(a1)).toBe("b1");
  await say(b1, "repeated");
  expect(await hears({ ...a1, has: 6 })).toBeUndefined();
  await answer("b1");
  expect(await hears(a1)).toBeUndefined();
});

test("who has had its turn waits behind those who wait for theirs, though it asked for one more before", async () => {
  await using pipeline = await aPipeline();
  const { say } = aTableOf(pipeline);
  const [one, none] = [{ ...b1, has: 1 }, b1];
  const longAgo = 5;
  expect((await say(one, "new", longAgo)).askedAt).toBe(longAgo);
  expect((await say(one, "repeated")).askedAt).toBe(longAgo);
  const { askedAt } = await say(none, "new");
  expect(askedAt).toBeGreaterThan(longAgo);
  expect((await say(none, "repeated")).askedAt).toBe(askedAt);
  await say(one, "new", longAgo);
  expect((await say(none)).askedAt).toBeUndefined();
});

test("what was said by a pool that has died counts no more after five seconds", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const { say } = aTableOf(pipeline);
  const longAgo = `${Date.now() - 60_000} 9 0 0 c`;
  await redis.hset(keys.shares("mail.example:25"), "has c1", longAgo, "asks c1", "1 1", "gives c1", "0 9 b1");
  expect(await say(a1)).toMatchObject({ othersHave: 0, groups: 1, asking: 0 });
  expect(await redis.hkeys(keys.shares("mail.example:25"))).toEqual(["has a1", "sum all"]);
});

/** How often a pool says something in ten seconds that has none, and has asked for one. */
const saysOf = async (heard: Pick<Said, "groups" | "asking">): Promise<number> => {
  jest.useFakeTimers();
  try {
    let says = 0;
    const nothing = { isAnswered: false, askedAt: 1, othersHave: 0, asker: undefined, all: undefined };
    const said: Said = { ...nothing, ...heard };
    const ignore = async () => {};
    const table: SharedTable = {
      ...{ assign: ignore, answer: ignore, leave: ignore },
      say: async () => {
        says += 1;
        return said;
      },
    };
    const places: Places = {
      ...{
        at: "mail.example:25",
        has: () => 0,
        idle: () => 0,
        wasRefused: () => true,
        refusedAt: () => 0,
        isWithout: () => true,
      },
      ...{
        mayBeLeftWithout: () => false,
        answered: () => {},
        othersHave: () => {},
        othersChanged: () => {},
        giveUp: () => {},
      },
    };
    const stopping = new AbortController();
    const { signal } = stopping;
    const { done } = startSharing({ table, group: "a", log: silentLog, signal }, { pool: "a1", places });
    for (let ms = 0; ms < 10_000; ms += 50) {
      for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
      jest.advanceTimersByTime(50);
    }
    stopping.abort();
    await done;
    return says;
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test("who waits for its first place asks the table ten times a second, ever fewer times if many wait, and once where there is no other group", async () => {
  expect(await saysOf({ groups: 2, asking: 1 })).toBeGreaterThanOrEqual(90);
  const ofMany = await saysOf({ groups: 2, asking: 24 });
  expect(ofMany).toBeGreaterThanOrEqual(25);
  expect(ofMany).toBeLessThanOrEqual(35);
  expect(await saysOf({ groups: 2, asking: 400 })).toBeLessThanOrEqual(21);
  expect(await saysOf({ groups: 1, asking: 1 })).toBeLessThanOrEqual(11);
});
