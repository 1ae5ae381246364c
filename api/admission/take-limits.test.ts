import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { CANONICAL, type LimitAnswer, type LimitedRequest, takeLimits } from "../../stream/scripts/take-limits.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { createInProcessLimits } from "./in-process.ts";
import {
  BOX,
  builder,
  KEEP_MS,
  kinds,
  LIMITS,
  MINUTE_MS,
  ODD,
  PERSON,
  REPEAT,
  refusal,
  START,
  taking,
  times,
} from "./limits-for-tests.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "limits", log: silentLog, commandTimeoutMs: 5_000 });
beforeAll(() => untilReady(redis, 5_000));
afterAll(() => redis.disconnect());

/** Limits of a test's own, with a clock of its own. */
const inRedis = () => {
  let atMs = START;
  return {
    pass: (ms: number) => (atMs += ms),
    take: (requests: readonly LimitedRequest[]) =>
      takeLimits(redis, requests, { limits: LIMITS, keepMs: KEEP_MS, atMs }),
  };
};

const inProcess = () => {
  let atMs = START;
  const limits = createInProcessLimits({ now: () => atMs, keepMs: KEEP_MS, ofRecord: BOX });
  const decide = taking(limits);
  const admitFirst = (request: LimitedRequest) => (isPlain(request) ? limits.admitFirst(request.record) : undefined);
  return {
    pass: (ms: number) => (atMs += ms),
    take: async (requests: readonly LimitedRequest[]): Promise<readonly LimitAnswer[]> => requests.map(decide),
    takeQuickly: async (requests: readonly LimitedRequest[]): Promise<readonly LimitAnswer[]> =>
      requests.map((request) => admitFirst(request) ?? decide(request)),
  };
};

/** Whether its box alone counts a request, for the box itself. */
const isPlain = ({ member, token, takes: [only, ...more] }: LimitedRequest): boolean =>
  member === CANONICAL && token === "" && only?.limit === BOX && more.length === 0;

describe.each([
  ["in Redis", inRedis],
  ["in a process", inProcess],
] as const)("limits %s", (_, open) => {
  test("admit as many as there are, say when the next one is, and fill evenly", async () => {
    const { take, pass } = open();
    const request = builder();
    const [first, second] = await take(times(2, (index) => request(`s${index}`, [[PERSON, "a"]])));
    expect(first).toEqual({ kind: "admitted", left: { count: 4, wholeAfterMs: 12_000 } });
    expect(second).toEqual({ kind: "admitted", left: { count: 3, wholeAfterMs: 24_000 } });
    const rest = await take(times(5, (index) => request(`r${index}`, [[PERSON, "a"]])));
    expect(kinds(rest)).toEqual(["admitted", "admitted", "admitted", "refused", "refused"]);
    expect(rest.at(-1)).toEqual(refusal(0, 12_000));
    pass(11_990);
    expect(await take([request("early", [[PERSON, "a"]])])).toEqual([refusal(0, 10)]);
    pass(10);
    expect(kinds(await take(times(2, (index) => request(`t${index}`, [[PERSON, "a"]]))))).toEqual([
      "admitted",
      "refused",
    ]);
    pass(MINUTE_MS);
    expect(kinds(await take(times(6, (index) => request(`u${index}`, [[PERSON, "a"]]))))).toEqual([
      ...Array(5).fill("admitted"),
      "refused",
    ]);
  });

  test("an interval that is no whole number of ms loses nothing", async () => {
    const { take } = open();
    const request = builder();
    const answers = await take(times(8, (index) => request(`s${index}`, [[ODD, "a"]])));
    expect(kinds(answers)).toEqual([...Array(7).fill("admitted"), "refused"]);
  });

  test("one refuses: nothing is taken from the others, and the longest wait is told", async () => {
    const { take } = open();
    const request = builder();
    await take(times(2, (index) => request(`s${index}`, [[BOX, "box"]])));
    const refused = await take(
      times(20, (index) =>
        request(`t${index}`, [
          [PERSON, "a"],
          [BOX, "box"],
        ]),
      ),
    );
    expect(new Set(kinds(refused))).toEqual(new Set(["refused"]));
    expect(refused[0]).toEqual(refusal(1, 30 * MINUTE_MS));
    const [fresh] = await take([
      request("fresh", [
        [PERSON, "a"],
        [BOX, "another box"],
      ]),
    ]);
    expect(fresh).toMatchObject({ left: { count: 4 } });
    await take(times(4, (index) => request(`u${index}`, [[PERSON, "a"]])));
    expect(
      await take([
        request("both", [
          [PERSON, "a"],
          [BOX, "box"],
        ]),
      ]),
    ).toEqual([refusal(1, 30 * MINUTE_MS)]);
  });

  test("a member that was admitted before, and the same token again, are counted by other limits", async () => {
    const { take } = open();
    const request = builder();
    const takes = [
      [PERSON, "a"],
      [REPEAT, "a"],
      [BOX, "box"],
    ] as const;
    const leftOf = async (token: string) => {
      const [answer] = await take([request("subject", takes, token)]);
      return answer?.kind === "refused" ? answer : (answer?.left?.count ?? "not counted");
    };
    expect(await leftOf("t1")).toBe(4);
    expect([await leftOf("t1"), await leftOf("t1")]).toEqual(["not counted", "not counted"]);
    expect<unknown>(await leftOf("t1")).toEqual(refusal(1, 30_000));
    expect([await leftOf(""), await leftOf("t2"), await leftOf("")]).toEqual([3, 2, 1]);
    const others = await take([request("second", takes), request("third", takes)]);
    expect(others).toEqual([
      { kind: "admitted", left: { count: 0, wholeAfterMs: 60_000 } },
      refusal(2, 30 * MINUTE_MS),
    ]);
  });

  test("no limit counts it: it is admitted", async () => {
    const { take } = open();
    const request = builder();
    expect(await take([request("s", []), request("s", [[REPEAT, "a"]])])).toEqual([
      { kind: "admitted" },
      { kind: "admitted" },
    ]);
  });
});

const random = (below: number) => Math.floor(Math.random() * below);

/** Any requests, of which a third are plain ones. */
const anyRequests = (request: ReturnType<typeof builder>, round: number): readonly LimitedRequest[] =>
  times(1 + random(8), () =>
    random(3) === 0
      ? request(CANONICAL, [[BOX, random(2) === 0 ? `k${random(3)}` : `of round ${round}`]])
      : request(
          `s${random(12)}`,
          LIMITS.filter(() => random(3) > 0).map((limit) => [limit, `k${random(3)}`] as const),
          ["", "t1", "t2"][random(3)],
        ),
  );

test("a random sequence is decided alike in Redis and in a process, and by what admits firsts without a decision", async () => {
  const all = [inRedis(), inProcess(), inProcess()] as const;
  const [shared, own, quick] = all;
  const request = builder();
  for (let round = 0; round < 150; round += 1) {
    const requests = anyRequests(request, round);
    const answers = await shared.take(requests);
    expect(await own.take(requests)).toEqual(answers);
    expect(await quick.takeQuickly(requests)).toEqual(answers);
    const ms = random(20_000);
    for (const { pass } of all) pass(ms);
  }
});

test("who asks with the mailbox itself, and then with another spelling, has its place in Redis, too, whether the mailbox is known or not", async () => {
  const request = builder();
  for (const known of [0, 1]) {
    const { take } = inRedis();
    const box = `box ${known}`;
    await take(times(known, () => request("s0", [[BOX, box]])));
    const asked = [CANONICAL, "s1", "s2"].map((member) => request(member, [[BOX, box]]));
    expect(kinds(await take(asked))).toEqual(["admitted", known === 0 ? "admitted" : "refused", "refused"]);
  }
});

test("what was admitted as a first is forgotten when any other is", async () => {
  const all = [inProcess(), inProcess()] as const;
  const [own, quick] = all;
  const request = builder();
  for (let round = 0; round < 100; round += 1) {
    const requests = anyRequests(request, round % 3);
    expect(await quick.takeQuickly(requests)).toEqual(await own.take(requests));
    const ms = [KEEP_MS, KEEP_MS - 1, random(KEEP_MS)][random(3)] ?? 0;
    for (const { pass } of all) pass(ms);
  }
});

test("a record remembers the latest members, in Redis and in a process", async () => {
  for (const { take } of [inRedis(), inProcess()]) {
    const request = builder();
    const asked = (member: string) => ({
      ...request(member, [[REPEAT, "a"]], "0123456789a"),
      record: request("", []).record,
    });
    expect(new Set(kinds(await take(times(60, (index) => asked(`member-${index}`)))))).toEqual(new Set(["admitted"]));
    // Of those that it does not know any more, none is a repeat.
    expect(kinds(await take(times(10, (index) => asked(`member-${index}`))))).toEqual(Array(10).fill("admitted"));
    expect(kinds(await take(times(3, (index) => asked(`member-${59 - index}`))))).toEqual([
      "admitted",
      "admitted",
      "refused",
    ]);
  }
});

test("keys in Redis expire, those of limits when they are whole", async () => {
  const { take } = inRedis();
  const request = builder()("s", [[PERSON, "a"]], "token");
  await take([request, { ...request, record: `${request.record}2` }]);
  expect(await redis.pttl(request.record)).toBeWithin(KEEP_MS - 10_000, KEEP_MS + 1);
  expect(await redis.pttl(request.takes[0]?.key ?? "")).toBeWithin(14_000, 24_001);
});
