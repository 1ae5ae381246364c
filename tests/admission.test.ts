import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { randomHex } from "../observability/trace-context.ts";
import { anOwnRedis } from "./own-redis.ts";
import { aSystem, type RunningProcess } from "./processes.ts";

/** A signup from somewhere, by way of a trusted proxy. */
const signUp = (
  api: RunningProcess,
  client: string,
  headers: Readonly<Record<string, string>> = {},
  name = randomHex(6),
) =>
  fetch(`${api.url}/api/v1/user/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Forwarded-For": client, ...headers },
    body: JSON.stringify({ user_name: name, email: `${name}@inbox.example`, password: "correct horse battery staple" }),
  });

const submitForm = (api: RunningProcess, client: string, path: string, language: string) =>
  fetch(`${api.url}${path}?lang=${language}`, {
    method: "POST",
    redirect: "manual",
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Forwarded-For": client,
      Origin: "https://signup.example",
    },
    body: new URLSearchParams({
      user_name: "Hoa",
      email: "hoa@inbox.example",
      password: "correct horse battery staple",
    }),
  });

const statuses = async (processes: readonly RunningProcess[], client: string, count: number) => {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) {
    for (const api of processes) all.push((await signUp(api, client)).status);
  }
  return all;
};

test("limits hold for all processes together, and for each while Redis is away", async () => {
  await using redis = await anOwnRedis();
  const settings = { TRUSTED_PROXIES: "127.0.0.0/8", RATE_LIMIT_PER_IP: "4" };
  await using system = await aSystem({ redisUrl: redis.url, settings });
  const apis = await Promise.all([system.api(), system.api()]);
  const [one, two] = apis;

  // With Redis: four of both together, whatever else is asked for.
  const key = { "Idempotency-Key": randomHex(8) };
  const [name, from] = [randomHex(6), "198.51.100.1"];
  const first = await signUp(one, from, key, name);
  expect(first.headers.get("ratelimit")).toBe('"client";r=3;t=15');
  expect(await statuses(apis, from, 2)).toEqual([201, 201, 201, 429]);
  const refused = await signUp(one, from, { "Accept-Language": "en" });
  expect(await refused.json()).toMatchObject({
    code: "too_many_requests",
    status: 429,
    type: "/problems/too_many_requests",
  });
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(refused.headers.get("ratelimit-policy")).toBe('"client";q=4;w=60');
  expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 16);
  expect(refused.headers.get("ratelimit")).toBe(`"client";r=0;t=${refused.headers.get("retry-after")}`);

  // Pages and requests for another mail are limited alike; what a person looks at is not.
  for (const [language, sentence] of [
    ["vi", "Bạn đã gửi quá nhiều yêu cầu."],
    ["en", "Too many requests."],
  ] as const) {
    for (const path of ["/", "/resend"]) {
      const page = await submitForm(two, from, path, language);
      expect([page.status, page.headers.get("retry-after")]).toEqual([429, expect.any(String)]);
      expect(await page.text()).toContain(sentence);
    }
  }
  const looks = ["/", "/livez", "/readyz", first.headers.get("location") ?? ""];
  const seen = await Promise.all(
    looks.map((path) => fetch(`${one.url}${path}`, { headers: { "X-Forwarded-For": from } })),
  );
  expect(seen.map(({ status }) => status)).toEqual([200, 200, 200, 200]);

  // The answer to a repeat is the same, and nobody else is limited.
  const repeated = await signUp(two, from, key, name);
  expect([repeated.status, repeated.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
  expect(await repeated.text()).toBe(await first.text());
  expect((await signUp(two, "198.51.100.2")).status).toBe(201);

  // What Redis knows: no client and no address, and nothing for ever.
  const reader = new Redis(redis.url);
  const keys = (await reader.keys("*")).filter((each) => /:(limit|admitted):/.test(each));
  const values = await Promise.all(keys.map((each) => reader.get(each)));
  expect(keys.length).toBeGreaterThan(5);
  expect([...keys, ...values].join(" ")).not.toMatch(/inbox|example|198\.51|hoa/i);
  // -1: it never expires; -2: it just has.
  for (const each of keys) expect(await reader.pttl(each)).not.toBe(-1);
  reader.disconnect();

  // Without Redis: four of each.
  await redis.kill();
  expect(await statuses(apis, "198.51.100.3", 5)).toEqual([...Array(8).fill(201), 429, 429]);
  expect((await fetch(`${one.url}/readyz`)).status).toBe(200);

  // A request that was refused has left nothing.
  const { db } = system.database;
  const users = await db.selectFrom("users").select("id").execute();
  expect(users).toHaveLength(4 + 1 + 8);
});
