import { expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { eventually } from "../../tests/eventually.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { createPace, MOST_UNDER_WAY } from "./pace.ts";

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

test("what is beyond 1,024 requests of one client under way is refused unread; other clients are not", async () => {
  const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
  let asked = 0;
  const endless = async () => {
    asked += 1;
    return new Promise<never>(() => {});
  };
  const { app } = anApp(db, { admit: endless, clientOf: (request) => request.headers.get("X-Client") ?? "" });
  const post = (client: string) => app.fetch(postSignup(aBody(), { "X-Client": client }));
  for (let index = 0; index < MOST_UNDER_WAY; index += 1) void post("flood");
  await eventually(() => asked === MOST_UNDER_WAY);
  const refused = await post("flood");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "15"]);
  expect(refused.headers.get("ratelimit-policy")).toBe('"concurrent";q=1024;qu="concurrent-requests"');
  expect(refused.headers.get("x-frame-options")).toBe("DENY");
  void post("person");
  await eventually(() => asked === MOST_UNDER_WAY + 1);
  await db.destroy();
});
