import { expect, test } from "bun:test";
import type { WriteRefusal } from "../../runtime/situation/facts.ts";
import { createReadiness } from "./readiness.ts";

const answerOf = async (
  postgres: boolean,
  redis: "ready" | "reconnecting" | "hanging",
  faults: Readonly<Record<string, string>> = {},
  refusal?: WriteRefusal,
) => {
  const readiness = createReadiness({
    pingDatabase: async () => {
      if (!postgres) throw new Error("connect ECONNREFUSED db.internal:5432");
    },
    pingRedis: async () => {
      if (redis === "hanging") await new Promise(() => {});
      if (redis === "reconnecting") throw new Error("no connection");
    },
    faults: () => faults,
    refusal: () => refusal,
  });
  return { readiness, first: await readiness.check() };
};

test.each([
  [true, "ready", true, "All is well"],
  [
    true,
    "reconnecting",
    true,
    "Redis has not answered since HH:MM UTC: signups succeed, and their events wait in the outbox; none is lost",
  ],
  [
    true,
    "hanging",
    true,
    "Redis has not answered since HH:MM UTC: signups succeed, and their events wait in the outbox; none is lost",
  ],
  [
    false,
    "ready",
    false,
    "PostgreSQL has not answered since HH:MM UTC: signups are refused, and what was accepted waits; none of it is lost",
  ],
] as const)("Postgres %p, Redis %p: it says why, and since when, and no host", async (postgres, redis, ready, why) => {
  const { first } = await answerOf(postgres, redis);
  expect({ ready: first.ready, why: first.why.replace(/\d\d:\d\d UTC/, "HH:MM UTC") }).toEqual({ ready, why });
  expect(JSON.stringify(first)).not.toContain("internal");
});

test("a Postgres that answers, and refuses the login, is not called silent", async () => {
  const readiness = createReadiness({
    pingDatabase: () => Promise.reject(Object.assign(new Error("role is not permitted to log in"), { code: "28000" })),
    pingRedis: () => Promise.resolve(),
    faults: () => ({}),
  });
  const { ready, why } = await readiness.check();
  expect(ready).toBe(false);
  expect(why).toStartWith("PostgreSQL refuses connections (28000) since ");
});

test("a process that stops says so", async () => {
  const { readiness } = await answerOf(true, "ready");
  readiness.drain();
  expect(await readiness.check()).toMatchObject({
    ready: false,
    why: "This process is stopping; requests should go to another",
  });
});

test("all is not well while a loop names a fault", async () => {
  const { first } = await answerOf(true, "ready", { relay: "its turn does not end; since 06:07" });
  expect(first).toMatchObject({
    ready: true,
    why: "The loop relay of this process cannot do its work (its turn does not end; since 06:07)",
    checks: { relay: "its turn does not end; since 06:07" },
  });
});

test("signups that Postgres refuses, though it answers, are named; the process stays where requests go", async () => {
  const since = new Date("2026-11-28T06:07:00Z");
  const { first } = await answerOf(
    true,
    "ready",
    {},
    { fault: "PostgreSQL refuses a statement (25006)", since, at: since },
  );
  expect(first).toMatchObject({
    ready: true,
    why: expect.stringMatching(/^Signups are refused, because PostgreSQL refuses a statement \(25006\), since /),
    checks: { signups: expect.stringContaining("PostgreSQL refuses a statement (25006); since ") },
  });
  const { first: full } = await answerOf(
    true,
    "ready",
    {},
    { fault: "the disk of PostgreSQL is full (53100)", since, at: since },
  );
  expect(full.why).toBe(
    "The disk of PostgreSQL is full: signups are refused, and what was accepted waits; none of it is lost",
  );
});

test("a Redis that answers, and refuses the login, is not called silent", async () => {
  const readiness = createReadiness({
    pingDatabase: async () => {},
    pingRedis: () => Promise.reject(Object.assign(new Error("WRONGPASS"), { code: "WRONGPASS" })),
    faults: () => ({}),
  });
  expect((await readiness.check()).why).toMatch(
    /^Redis refuses the login \(WRONGPASS\) since \d\d:\d\d UTC: signups succeed, and their events wait in the outbox; none is lost$/,
  );
});
