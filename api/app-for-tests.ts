import pino from "pino";
import type { Database } from "../database/connection.ts";
import type { LoggedEvent } from "../database/events.ts";
import { createPaymentWriter } from "../database/payments/request.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { boundGroups, GROUPS } from "../stream/groups.ts";
import { type AppDeps, createApp } from "./app.ts";
import { openCommonPasswords } from "./passwords/common-passwords.ts";
import { createPasswordHasher } from "./passwords/hasher.ts";

export const SERVICE_TOKEN = "a-token-of-the-tests-0123456789";

/** From whom all requests are. */
export const CLIENT = "192.0.2.1";

/** The lowest cost that argon2 allows. */
const CHEAP = { PASSWORD_HASH_MEMORY_KIB: 8, PASSWORD_HASH_PASSES: 1 };

/** What a test's app needs of the settings. */
export const TEST_SETTINGS = {
  BRAND_NAME: "Toblug",
  PUBLIC_URL: "https://signup.example",
  SERVICE_TOKEN,
  SIGNUP_DISCLOSURE: "open",
  WEBHOOK_ALLOW_PRIVATE: true,
  WEBHOOK_TIMEOUT_MS: 5_000,
  receivers: [],
  ...CHEAP,
} as const;

/** A hasher at the lowest cost. */
export const aCheapHasher = () => createPasswordHasher({ concurrency: 2, memoryKib: 8, passes: 1 });

/** The app on a test's database, its other dependencies replaceable; `committed` lists what would be published. */
export const anApp = (db: Database, replaced: Partial<AppDeps> = {}) => {
  const committed: LoggedEvent[] = [];
  const app = createApp({
    db,
    groups: GROUPS,
    signups: createSignupWriter(db, boundGroups(GROUPS)),
    payments: createPaymentWriter(db, boundGroups(GROUPS)),
    hasher: aCheapHasher(),
    commonPasswords: openCommonPasswords(),
    admit: async () => ({ headers: {}, confirm: async () => {} }),
    afterCommit: async (event) => {
      committed.push(event);
    },
    readiness: async () => ({ ready: true, why: "All is well", checks: { database: "ok" } }),
    liveness: () => ({ live: true, loops: { relay: true }, faults: {} }),
    backlog: async (group) =>
      group === "welcome-email" ? { unfinished: 7, waiting: 2, waitsUntil: new Date(0) } : undefined,
    live: { follow: () => () => {} },
    clientOf: () => CLIENT,
    stopping: new AbortController().signal,
    settings: TEST_SETTINGS,
    log: pino({ level: "silent" }),
    newId: () => Bun.randomUUIDv7(),
    newTraceContext: () => randomTraceContext(randomHex),
    ...replaced,
  });
  return { app, committed };
};

/** A valid body, its parts replaceable. */
export const aBody = (parts: Readonly<Record<string, unknown>> = {}) => {
  const name = `user-${randomHex(6)}`;
  return { user_name: name, email: `${name}@example.com`, password: "một mật khẩu đủ dài", ...parts };
};

/** `POST /api/v1/user/` with a JSON body. */
export const postSignup = (
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Request =>
  new Request("http://127.0.0.1/api/v1/user/", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
