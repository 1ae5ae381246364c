import { expect, test } from "bun:test";
import { siteOf } from "../client/client.ts";
import { createServiceTokenHolders } from "../operations/service-token.ts";
import { createTokenAttempts } from "../operations/token-attempts.ts";
import { ProblemError } from "../problem.ts";
import { createRequestRate } from "./request-rate.ts";

const TOKEN = "a-token-for-tests-alone";

const aRate = () => {
  let now = 0;
  const refused = new Map<Request, ProblemError>();
  const rate = createRequestRate({
    app: (request) =>
      new Response(null, { status: refused.has(request) ? 429 : request.url.includes("made") ? 201 : 404 }),
    clientOf: (request) => request.headers.get("X-Client") ?? "",
    holders: createServiceTokenHolders({ serviceToken: TOKEN, attempts: createTokenAttempts(() => now) }),
    pacing: {
      async refuseUnread(request, _, problem) {
        refused.set(request, problem);
      },
    },
    admitted: new Set(["/signup", "/made"]),
    now: () => now,
  });
  const ask = async (client: string, path = "/", init: RequestInit = {}) => {
    const request = new Request(`http://127.0.0.1${path}`, {
      ...init,
      headers: { "X-Client": client, ...init.headers },
    });
    return (await rate.fetch(request)).status;
  };
  const refusedOf = async (count: number, ...asked: Parameters<typeof ask>) => {
    let some = 0;
    for (let index = 0; index < count; index += 1) if ((await ask(...asked)) === 429) some += 1;
    return some;
  };
  return { ask, refusedOf, rate, refused, pass: (ms: number) => (now += ms) };
};

test("a client has 1,000 requests at once and 250 a second, whatever they are; others have their own", async () => {
  const { ask, refusedOf, refused, pass } = aRate();
  expect(await refusedOf(1_010, "192.0.2.1")).toBe(10);
  expect([...refused.values()][0]).toBeInstanceOf(ProblemError);
  expect(await ask("192.0.2.2")).toBe(404);
  pass(1_000);
  expect(await refusedOf(260, "192.0.2.1", "/docs", { method: "PATCH" })).toBe(10);
});

test("probes have a share of their own, which is as large; who has the service token, or is on a private network, is not counted", async () => {
  const { ask, refusedOf } = aRate();
  await refusedOf(1_010, "192.0.2.1");
  expect(await refusedOf(1_010, "192.0.2.1", "/livez?x=1")).toBe(10);
  expect(await ask("192.0.2.1", "/", { headers: { Authorization: `Bearer ${TOKEN}` } })).toBe(404);
  expect(await refusedOf(2_000, "192.0.2.3", "/", { headers: { Authorization: `Bearer ${TOKEN}` } })).toBe(0);
  expect(await ask("192.0.2.3")).toBe(404);
  expect(await refusedOf(2_000, "10.0.0.1")).toBe(0);
});

test("a client that has used up its share guesses the token ten times a minute, as any other", async () => {
  const { ask, refusedOf, pass } = aRate();
  const withToken = (token: string, scheme = "Bearer") => ({ headers: { Authorization: `${scheme} ${token}` } });
  await refusedOf(1_010, "192.0.2.1");
  for (let guess = 0; guess < 10; guess += 1)
    expect(await ask("192.0.2.1", "/", withToken(`guess-${guess}`))).toBe(429);
  // Not even the right one: else its answer would tell it.
  expect(await ask("192.0.2.1", "/", withToken(TOKEN))).toBe(429);
  expect(await ask("192.0.2.1", "/", withToken(btoa(`any:${TOKEN}`), "Basic"))).toBe(429);
  pass(60_000);
  await refusedOf(1_010, "192.0.2.1");
  expect(await ask("192.0.2.1", "/", withToken(TOKEN))).toBe(404);
});

test("what a client may still ask for does not tell whether a token was right, beyond ten guesses a minute", async () => {
  const { ask, refusedOf } = aRate();
  const withToken = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  for (let guess = 0; guess < 50; guess += 1)
    expect(await ask("192.0.2.1", "/", withToken(`guess-${guess}`))).toBe(404);
  for (let time = 0; time < 50; time += 1) expect(await ask("192.0.2.1", "/", withToken(TOKEN))).toBe(404);
  // 50 wrong ones, and as many right ones after the tenth wrong one: each was counted.
  expect(await refusedOf(910, "192.0.2.1")).toBe(10);
});

test("who has left while its refusal was held back is answered nothing", async () => {
  const { rate, refused } = aRate();
  const left = new AbortController();
  const request = (init: RequestInit = {}) =>
    new Request("http://127.0.0.1/", { headers: { "X-Client": "192.0.2.1" }, ...init });
  for (let index = 0; index < 1_000; index += 1) await rate.fetch(request());
  left.abort();
  const gone = request({ signal: left.signal });
  expect((await rate.fetch(gone)).status).toBe(499);
  expect(refused.has(gone)).toBe(true);
});

test("of signups only those that fail are counted; a client that has used up its share gets no turn for another", async () => {
  const { refusedOf, rate } = aRate();
  expect(await refusedOf(2_000, "192.0.2.1", "/made", { method: "POST" })).toBe(0);
  expect(rate.isSpent("192.0.2.1")).toBe(false);
  expect(await refusedOf(1_010, "192.0.2.1", "/signup", { method: "POST" })).toBe(10);
  expect(rate.isSpent("192.0.2.1")).toBe(true);
  expect(rate.isSpent("10.0.0.1")).toBe(false);
});

test("all networks of one IPv6 site together have two clients' share", async () => {
  const { ask } = aRate();
  let refused = 0;
  for (let index = 0; index < 2_050; index += 1) {
    if ((await ask(`2001:db8:1:${index.toString(16)}::/64`)) === 429) refused += 1;
  }
  expect(refused).toBe(50);
  expect(await ask("2001:db8:2::/64")).toBe(404);
  expect([siteOf("2001:db8:1:2::/64"), siteOf("192.0.2.1"), siteOf("unknown")]).toEqual([
    "2001:db8:1::/48",
    "192.0.2.1",
    "unknown",
  ]);
});
