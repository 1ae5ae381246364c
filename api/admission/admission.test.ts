import { describe, expect, test } from "bun:test";
import { keysOf } from "../../stream/keys.ts";
import type { LimitAnswer, LimitedRequest } from "../../stream/scripts/take-limits.ts";
import { eventually } from "../../tests/eventually.ts";
import { silentLog } from "../../tests/pipeline.ts";
import { ProblemError } from "../problem.ts";
import { type AdmissionDeps, createAdmission } from "./admission.ts";
import { createInProcessLimits } from "./in-process.ts";
import { KEEP_MS, limitsOf } from "./limits.ts";

const CLIENT = "192.0.2.1";

/** Admission with a Redis that is played by a process's limits, and may fail or be silent. */
const anAdmission = async (replaced: Partial<AdmissionDeps> = {}) => {
  let now = 0;
  const calls: (readonly LimitedRequest[])[] = [];
  const state: { how: "answers" | "fails" | "is silent" } = { how: "answers" };
  const inRedis = createInProcessLimits({ now: () => now, keepMs: KEEP_MS });
  const take = async (requests: readonly LimitedRequest[]): Promise<readonly LimitAnswer[]> => {
    calls.push(requests);
    if (state.how === "fails") throw new Error("connection is closed");
    if (state.how === "is silent") return new Promise(() => {});
    return requests.map((request) => {
      const decision = inRedis.decide(request);
      decision.commit();
      return decision.answer;
    });
  };
  const admit = createAdmission({
    limits: limitsOf({ RATE_LIMIT_PER_IP: 3, RATE_LIMIT_GLOBAL: 100 }),
    take,
    keys: keysOf("test"),
    readDigestKey: async () => Buffer.from("a key of the tests"),
    now: () => now,
    log: silentLog,
    ...replaced,
  });
  // The digests' key is known, or is not.
  await Bun.sleep(0);
  let asked = 0;
  const anAddress = () => {
    asked += 1;
    return `person${asked}@inbox.example`;
  };
  /** What becomes of somebody who asks, with an address of their own if none is given. */
  const ask = async (client = CLIENT, email = anAddress(), idempotencyKeyHash?: string) => {
    try {
      const { headers, confirm } = await admit({ client, email, idempotencyKeyHash });
      await confirm?.();
      return headers;
    } catch (error) {
      if (error instanceof ProblemError) return { code: error.code, ...error.headers };
      throw error;
    }
  };
  return { ask, admit, take, now: () => now, calls, state, pass: (ms: number) => (now += ms) };
};

const refusedBy = (policy: string, window: number, seconds: number) => ({
  code: "too_many_requests",
  "RateLimit-Policy": `${policy};w=${window}`,
  RateLimit: `${policy.split(";")[0]};r=0;t=${seconds}`,
  "Retry-After": String(seconds),
});

describe("admission", () => {
  test("says what is left, then which limit refuses and until when", async () => {
    const { ask, pass } = await anAdmission();
    expect(await ask()).toEqual({ "RateLimit-Policy": '"client";q=3;w=60', RateLimit: '"client";r=2;t=20' });
    await ask();
    await ask();
    expect<unknown>(await ask()).toEqual(refusedBy('"client";q=3', 60, 20));
    expect(await ask("192.0.2.2")).toMatchObject({ RateLimit: '"client";r=2;t=20' });
    pass(20_000);
    expect(await ask()).toMatchObject({ RateLimit: '"client";r=0;t=60' });
  });

  test("counts spellings of one mailbox, whoever asks; the same address again costs its mailbox nothing", async () => {
    const { ask } = await anAdmission();
    const spellings = [
      "v.i.c@gmail.com",
      "vic+1@gmail.com",
      "VIC+2@googlemail.com",
      "v.ic@gmail.com",
      "vi.c+3@gmail.com",
    ];
    for (const [index, spelling] of spellings.entries()) {
      expect(await ask(`198.51.100.${index}`, spelling)).toMatchObject({ RateLimit: '"client";r=2;t=20' });
    }
    expect<unknown>(await ask("198.51.100.9", "vic+4@gmail.com")).toEqual(refusedBy('"address";q=5', 3_600, 720));
    expect(await ask("198.51.100.9", "V.I.C@gmail.com")).toMatchObject({ RateLimit: '"client";r=2;t=20' });
  });

  test("does not tell an address that is known from another one, where that is private", async () => {
    const limits = limitsOf({ SIGNUP_DISCLOSURE: "private" });
    const answersTo = async (known: boolean) => {
      const { ask } = await anAdmission({ limits });
      // Somebody asked with the address itself, or with another spelling of its mailbox.
      const first = known ? "vic@inbox.example" : "vic+first@inbox.example";
      const others = ["vic+1@inbox.example", "vic+2@inbox.example", "vic+3@inbox.example", "vic+4@inbox.example"];
      for (const [index, spelling] of [first, ...others].entries()) await ask(`198.51.100.${index}`, spelling);
      return ask("198.51.100.9", "vic@inbox.example");
    };
    const [known, unknown] = [await answersTo(true), await answersTo(false)];
    expect<unknown>(known).toEqual(refusedBy('"address";q=5', 3_600, 720));
    expect(unknown).toEqual(known);
  });

  test("a repeat under the same key is admitted when its client's limit is used up, as often as that", async () => {
    const { ask } = await anAdmission();
    for (const key of ["a", "b", "c"]) await ask(CLIENT, `${key}@inbox.example`, key);
    expect(await ask(CLIENT, "d@inbox.example", "d")).toMatchObject({ code: "too_many_requests" });
    for (const key of ["a", "b", "c"]) expect(await ask(CLIENT, `${key}@inbox.example`, key)).toEqual({});
    expect(await ask(CLIENT, "a@inbox.example", "another key")).toMatchObject({ RateLimit: '"client";r=0;t=20' });
    expect<unknown>(await ask(CLIENT, "a@inbox.example", "a")).toEqual(refusedBy('"repeat";q=3', 60, 20));
  });

  test("requests of one turn share a call, in which no address and no client is readable", async () => {
    const { ask, calls } = await anAdmission();
    await Promise.all(Array.from({ length: 10 }, (_, index) => ask(`192.0.2.${100 + index}`)));
    expect(calls).toHaveLength(1);
    expect(calls[0]).toHaveLength(10);
    expect(JSON.stringify(calls)).not.toMatch(/inbox|example|person|192\.0/);
    const [request] = calls[0] ?? [];
    expect(request?.record).toMatch(/^\{test\}:admitted:[\w-]{22}$/);
    expect(request?.takes.map(({ key }) => key?.slice(0, -22))).toEqual([
      "{test}:limit:client:",
      "{test}:limit:repeat:",
      undefined,
      "{test}:limit:domain:",
      "{test}:limit:global:",
    ]);
  });
});

test("what nobody waits for is collected, also while a call is under way: no call for each", async () => {
  const requests: number[] = [];
  const { ask } = await anAdmission({
    limits: limitsOf({}),
    take: async (asked) => {
      requests.push(asked.length);
      await Bun.sleep(1);
      return asked.map(() => ({ kind: "admitted" }));
    },
  });
  const total = () => requests.reduce((sum, count) => sum + count, 0);
  const startedAt = performance.now();
  for (let index = 0; index < 100; index += 1) {
    await ask("127.0.0.1");
    await Bun.sleep(1);
  }
  await eventually(() => total() === 100);
  // One each 25 ms, however long the machine takes.
  expect(requests.length).toBeLessThan((performance.now() - startedAt) / 24 + 2);
});

describe("several processes", () => {
  /** With a state of its own, and the same Redis. */
  const another = ({ take, now }: Pick<AdmissionDeps, "take" | "now">, replaced: Partial<AdmissionDeps> = {}) =>
    anAdmission({ take, now, ...replaced });

  test("count together: one that knows nothing of a client lets it hash, but write nothing", async () => {
    const one = await anAdmission();
    const two = await another(one);
    for (let index = 0; index < 3; index += 1) expect(await one.ask()).toHaveProperty("RateLimit");
    const { confirm } = await two.admit({ client: CLIENT, email: "new@inbox.example" });
    await expect(confirm?.()).rejects.toMatchObject({ code: "too_many_requests" });
    // From then on it knows, and does not ask.
    one.calls.length = 0;
    expect(await two.ask()).toMatchObject({ code: "too_many_requests", "Retry-After": "20" });
    expect(one.calls).toEqual([]);
  });

  test("learn of each other within some ms where a limit is a default, and count together from then on", async () => {
    const limits = limitsOf({});
    const one = await anAdmission({ limits });
    const two = await another(one, { limits });
    const spelling = (index: number) => `victim+${index}@inbox.example`;
    for (let index = 0; index < 5; index += 1)
      expect(await one.ask(CLIENT, spelling(index))).toHaveProperty("RateLimit");
    expect(await two.ask(CLIENT, spelling(5))).toHaveProperty("RateLimit");
    const known = one.calls.length;
    await eventually(() => one.calls.length > known);
    await Bun.sleep(0);
    expect(await two.ask(CLIENT, spelling(6))).toMatchObject({ "RateLimit-Policy": '"address";q=5;w=3600' });
    expect(one.calls).toHaveLength(known + 1);
  });

  test("close to a limit none admits what all together do not", async () => {
    const one = await anAdmission();
    const two = await another(one);
    for (const process of [one, two, one]) expect(await process.ask()).toHaveProperty("RateLimit");
    await expect(two.admit({ client: CLIENT, email: "new@inbox.example" })).rejects.toMatchObject({
      code: "too_many_requests",
    });
  });

  test("a repeat is known, whichever process had the first", async () => {
    const one = await anAdmission();
    const two = await another(one);
    for (const key of ["a", "b", "c"]) await one.ask(CLIENT, `${key}@inbox.example`, key);
    expect(await two.ask()).toMatchObject({ code: "too_many_requests" });
    for (const key of ["a", "b"]) expect(await two.ask(CLIENT, `${key}@inbox.example`, key)).toEqual({});
  });
});

describe("while Redis is away", () => {
  test.each(["fails", "is silent"] as const)(
    "(%s) a process limits by itself, and nobody waits but the first",
    async (how) => {
      const { ask, calls, state, pass } = await anAdmission();
      await ask("192.0.2.9");
      state.how = how;
      const answers = [];
      for (let index = 0; index < 4; index += 1) answers.push(await ask());
      expect(answers.map((answer) => "code" in answer)).toEqual([false, false, false, true]);
      // The one before Redis went away, and the one that noticed.
      expect(calls).toHaveLength(2);
      pass(1_000);
      expect(await ask("192.0.2.3")).toMatchObject({ RateLimit: '"client";r=2;t=20' });
      await ask("192.0.2.4");
      expect(calls).toHaveLength(3);
    },
  );

  test("it is asked again once a second, and is what counts as soon as it answers", async () => {
    const { ask, calls, state, pass } = await anAdmission();
    await ask("192.0.2.9");
    state.how = "fails";
    await ask();
    state.how = "answers";
    pass(1_000);
    await ask();
    await eventually(async () => {
      const before = calls.length;
      await ask("192.0.2.5");
      return calls.length > before;
    });
    expect(await ask()).toMatchObject({ RateLimit: '"client";r=1;t=40' });
  });

  test("and while nobody knows the digests' key: it is asked for once a second", async () => {
    let asked = 0;
    const readDigestKey = async () => {
      asked += 1;
      if (asked < 3) throw new Error("Postgres is away");
      return Buffer.from("a key of the tests");
    };
    const { ask, calls, pass } = await anAdmission({ readDigestKey });
    for (let index = 0; index < 3; index += 1) await ask();
    expect(await ask()).toMatchObject({ code: "too_many_requests" });
    expect([asked, calls.length]).toEqual([1, 0]);
    pass(1_000);
    await ask();
    pass(1_000);
    await ask();
    expect(asked).toBe(3);
    await ask("192.0.2.2");
    expect(calls).toHaveLength(1);
  });
});
