import { expect, test } from "bun:test";
import { answerRequest, endShare, type OthersShare, type OwnShare, sayShare } from "../../stream/scripts/share.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline } from "../../tests/pipeline.ts";
import { whomToAnswer } from "./sharing.ts";

type Row = readonly [pool: string, has: number, idle?: number, more?: "asks" | "asks for long" | "held long"];

/** `a1` is a pool of the group `a`. */
const pools = (rows: readonly Row[]): readonly OthersShare[] =>
  rows.map(([pool, has, idle = 0, more]) => ({
    ...{ pool, group: pool.slice(0, 1), has, idle },
    ...{
      mayBeLeftWithout: more === "held long",
      askedAt: more === "asks" ? 9 : more === "asks for long" ? 3 : undefined,
    },
  }));

/** Who answers whom. */
const answers = (rows: readonly Row[]): Readonly<Record<string, string>> => {
  const all = pools(rows);
  return Object.fromEntries(
    all.flatMap((own) => {
      const asker = whomToAnswer(
        own,
        all.filter((one) => one !== own),
      );
      return asker === undefined ? [] : [[own.pool, asker]];
    }),
  );
};

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

test("pools tell each other by Redis what they have; a request is answered by one, who asks hears of it, and it is forgotten if it is not repeated", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const key = keys.shares("mail.example:25");
  const [a, b] = pools([
    ["a1", 7, 2, "held long"],
    ["b1", 0, 0, "asks"],
  ]);
  if (a === undefined || b === undefined) throw new Error("two pools");
  const say = async (
    { askedAt: _, ...share }: OthersShare,
    request: OwnShare["request"] = "none",
    withoutSince?: number,
  ) => await sayShare(redis, key, { ...share, request, withoutSince });
  expect(await say(a)).toEqual({ isAnswered: false, askedAt: undefined, others: [] });
  const { askedAt } = await say(b, "new");
  expect(askedAt).toBeGreaterThan(0);
  expect(await say(b, "repeated")).toEqual({ isAnswered: false, askedAt, others: [a] });
  expect((await say(a)).others).toEqual([{ ...b, askedAt }]);
  expect(await Promise.all([answerRequest(redis, key, "b1"), answerRequest(redis, key, "b1")])).toEqual([true, false]);
  expect((await say(a)).others).toEqual([{ ...b, askedAt: undefined }]);
  expect(await say(b, "repeated")).toEqual({ isAnswered: true, askedAt: undefined, others: [a] });

  // Robbed of it: it asks again, and stays where it was in the line.
  await say(b, "new", askedAt);
  expect((await say(a)).others[0]?.askedAt).toBe(askedAt);
  await eventually(async () => (await say(a)).others[0]?.askedAt === undefined);

  await endShare(redis, key, "b1");
  expect((await say(a)).others).toEqual([]);
});
