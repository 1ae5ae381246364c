import { expect } from "bun:test";
import { asDatabaseRole } from "../local/postgres.ts";
import { asRedisUser } from "../local/redis.ts";
import { opsProcess } from "../ops/operator-for-tests.ts";
import { eventually } from "./eventually.ts";
import type { RunningProcess, System } from "./processes.ts";

const CONSOLE_TOKEN = "a-token-of-the-console";

/** The environment of an operator's commands. */
export const asOps = ({
  environment: { DATABASE_URL: database = "", REDIS_URL: redis = "", PUBLIC_URL = "", ...rest },
}: System) => ({
  ...rest,
  PUBLIC_URL,
  DATABASE_URL: asDatabaseRole(database, "signup_ops"),
  REDIS_URL: asRedisUser(redis, "ops"),
});

/** By which an api has a console. */
export const consoleSettings = (system: System): Readonly<Record<string, string>> => {
  const { DATABASE_URL, REDIS_URL } = asOps(system);
  return { CONSOLE_TOKEN, CONSOLE_DATABASE_URL: DATABASE_URL, CONSOLE_REDIS_URL: REDIS_URL };
};

/** `ops doctor`, `ops status` and the console read this Redis, with the rights of their own users: nothing fails, and the groups are counted. */
export const expectSeenByOperators = async (system: System, api: RunningProcess): Promise<void> => {
  const environment = asOps(system);
  const doctor = await opsProcess(["doctor", "--json"], environment);
  const { checks }: { checks: { name: string; verdict: string; finding: string }[] } = JSON.parse(doctor.out);
  expect(checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["redis version", "redis writable", "group welcome-email"]),
  );
  const status = await opsProcess(["status", "--json"], environment);
  expect([status.code, status.err]).toEqual([0, ""]);
  expect(status.out).toContain("welcome-email");

  const headers = { Origin: environment.PUBLIC_URL, "Content-Type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams({ name: "lan", token: CONSOLE_TOKEN, next: "/console" });
  const signedIn = await fetch(`${api.url}/console/sign-in`, { method: "POST", headers, body, redirect: "manual" });
  expect(signedIn.status).toBe(303);
  const cookie = (signedIn.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
  // Its connection may have been idle at a failover: the first answer of a server that was demoted makes it look for the new one.
  await eventually(async () => {
    const page = await fetch(`${api.url}/console`, { headers: { Cookie: cookie } });
    return (await page.text()).includes('data-name="welcome-email"');
  });
};
