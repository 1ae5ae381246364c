import { expect, test } from "bun:test";
import { Hono } from "hono";
import { openDatabase } from "../../database/connection.ts";
import { eventually } from "../../tests/eventually.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { ProblemError } from "../problem.ts";
import type { Admit } from "./admission.ts";
import { createPace, createPacing, MOST_AT_WORK, MOST_UNDER_WAY } from "./pace.ts";

const aPace = () => {
  let now = 0;
  const pace = createPace({ now: () => now, random: () => 0.5 });
  return { pace, pass: (ms: number) => (now += ms) };
};
const times = (count: number, make: () => number) => Array.from({ length: count }, make);

test("a client that is refused now and then is answered at once", () => {
  const { pace, pass } = aPace();
  for (let index = 0; index < 1_000; index += 1) {
    expect(pace("a")).toBe(0);
    pass(5);
  }
});

test("one that asks again and again over many connections gets 200 answers a second; others do not wait", () => {
  const { pace, pass } = aPace();
  const holds = times(5_000, () => pace("flood"));
  expect(holds[200]).toBe(1_000);
  expect(holds[3_000]).toBe(15_000);
  // Those beyond are spread, and not answered all at the same moment.
  expect(holds[4_999]).toBe(11_250);
  expect(pace("a")).toBe(0);
  pass(60_000);
  expect(pace("flood")).toBe(0);
});

test("of one client 64 requests are worked on at a time, the others wait unread; what is beyond 1,024 is refused unread", async () => {
  const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
  const asked: string[] = [];
  const refuse: (() => void)[] = [];
  const endless: Admit = async ({ client }) => {
    asked.push(client);
    return new Promise<never>((_, reject) => refuse.push(() => reject(new ProblemError("too_many_requests"))));
  };
  const { app } = anApp(db, { admit: endless, clientOf: (request) => request.headers.get("X-Client") ?? "" });
  const post = (client: string) => app.fetch(postSignup(aBody(), { "X-Client": client }));
  const flood = Array.from({ length: MOST_UNDER_WAY }, () => post("flood"));
  await eventually(() => asked.length === MOST_AT_WORK);
  const refused = await post("flood");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "15"]);
  expect(refused.headers.get("ratelimit-policy")).toBe('"concurrent";q=1024;qu="concurrent-requests"');
  expect(refused.headers.get("x-frame-options")).toBe("DENY");
  // Nobody else waits; and when one of its requests has ended, the next one's turn comes.
  void post("person");
  await eventually(() => asked.at(-1) === "person");
  expect(asked).toHaveLength(MOST_AT_WORK + 1);
  refuse[0]?.();
  await eventually(() => {
    if (asked.length > MOST_AT_WORK + 1) return true;
    // On a busy machine those that waited may have been refused by now: they wait for two seconds.
    void post("flood");
    return false;
  });
  expect(asked).toHaveLength(MOST_AT_WORK + 2);
  expect((await flood[0])?.headers.get("ratelimit-policy")).toBeNull();
  await db.destroy();
});

test("bodies that come slowly give up their client's turns until they are there", async () => {
  const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
  const asked: string[] = [];
  const endless: Admit = async ({ email }) => {
    asked.push(email);
    return new Promise<never>(() => {});
  };
  const { app } = anApp(db, { admit: endless });
  const complete = Array.from({ length: MOST_AT_WORK }, (_, index) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const { url, headers } = postSignup(aBody());
    void app.fetch(new Request(url, { method: "POST", headers, body: readable }));
    return async () => {
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode(JSON.stringify(aBody({ email: `slow-${index}@example.com` }))));
      await writer.close();
    };
  });
  void app.fetch(postSignup(aBody({ email: "quick@example.com" })));
  await eventually(() => asked.includes("quick@example.com"));
  await complete[0]?.();
  await eventually(() => asked.includes("slow-0@example.com"));
  await db.destroy();
});

test("a proxy that is not trusted yet may have all of its requests worked on", async () => {
  const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
  let asked = 0;
  const endless: Admit = async () => {
    asked += 1;
    return new Promise<never>(() => {});
  };
  const { app } = anApp(db, { admit: endless, clientOf: () => "10.0.0.1" });
  for (let index = 0; index < 2 * MOST_AT_WORK; index += 1) void app.fetch(postSignup(aBody()));
  await eventually(() => asked === 2 * MOST_AT_WORK);
  await db.destroy();
});

/** A server of one route that reads a body, by `wait`, and then works on it, by `work`; who reads and who works, by name. */
const paced = ({ wait, work }: { wait: (name: string) => Promise<void>; work: (name: string) => Promise<void> }) => {
  const pacing = createPacing({ clientOf: () => "a", now: () => 0, pause: async () => {}, random: () => 0.5 });
  const reading: string[] = [];
  const working: string[] = [];
  const app = new Hono().use(pacing.hold).post("/:name", async (c) => {
    pacing.requireTurn(c);
    const name = c.req.param("name");
    reading.push(name);
    await c.get("setAside")?.(wait(name));
    working.push(name);
    await work(name);
    return c.text("done");
  });
  app.onError((error, c) => c.text(error.name, error instanceof ProblemError ? 429 : 500));
  return { reading, working, post: (name: string) => app.request(`/${name}`, { method: "POST" }) };
};

test("a client that is refused a live page again and again waits for its refusals; a store that is away makes nobody wait", async () => {
  for (const [code, isHeld] of [
    ["too_busy", true],
    ["database_unavailable", false],
  ] as const) {
    const held: number[] = [];
    const pause = async (ms: number) => void held.push(ms);
    const pacing = createPacing({ clientOf: () => "a", now: () => 0, pause, random: () => 0.5 });
    const app = new Hono().get("/", pacing.hold, () => {
      throw new ProblemError(code);
    });
    app.onError((_, c) => c.text("refused", 503));
    for (let index = 0; index < 300; index += 1) await app.request("/");
    expect(held.some((ms) => ms > 1_000)).toBe(isHeld);
  }
});

const never = () => new Promise<never>(() => {});
const named = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`);

test("a body that is there when all turns of its client are taken, and none comes within 2 s, is refused and holds no turn", async () => {
  const arrived = Promise.withResolvers<void>();
  const leave: (() => void)[] = [];
  const { working, post } = paced({
    wait: (name) => (name === "late" ? arrived.promise : Promise.resolve()),
    work: () => new Promise((resolve) => leave.push(resolve)),
  });
  const late = post("late");
  const busy = named("busy", MOST_AT_WORK).map(post);
  await eventually(() => working.length === MOST_AT_WORK);
  arrived.resolve();
  expect((await late).status).toBe(429);
  // Its end gives back no turn that it did not have: as many as before are worked on, and one more for each that leaves.
  for (const name of named("next", 2)) void post(name);
  leave[0]?.();
  await busy[0];
  await eventually(() => working.length === MOST_AT_WORK + 1);
  expect(working).not.toContain("late");
  expect(working).not.toContain("next-1");
});

test("1,024 bodies of one client are awaited without a turn; those beyond keep theirs, so that it cannot hold more and more", async () => {
  const { reading, post } = paced({ wait: never, work: never });
  for (const name of named("slow", MOST_UNDER_WAY)) void post(name);
  await eventually(() => reading.length === MOST_UNDER_WAY);
  for (const name of named("beyond", MOST_AT_WORK)) void post(name);
  await eventually(() => reading.length === MOST_UNDER_WAY + MOST_AT_WORK);
  // All turns are taken now, and by bodies that do not come.
  expect((await post("last")).status).toBe(429);
  expect(reading).not.toContain("last");
});
