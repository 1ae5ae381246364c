import { expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { eventually } from "../../tests/eventually.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { ProblemError } from "../problem.ts";
import type { Admit } from "./admission.ts";
import { createPace, MOST_AT_WORK, MOST_UNDER_WAY } from "./pace.ts";

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
  await eventually(() => asked.length === MOST_AT_WORK + 2);
  expect((await Promise.race(flood)).headers.get("ratelimit-policy")).toBeNull();
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
