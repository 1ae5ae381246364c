import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { createSlots } from "../../runtime/slots.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { ProblemError } from "../problem.ts";
import { createDirectSignup } from "./direct.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

/** An app that makes the same ids, and gives the same answers, as any other that is asked the same. */
const aPredictableApp = () => {
  let ids = 0;
  const { app } = anApp(database.db, {
    newId: () => {
      ids += 1;
      return `01900000-0000-7000-8000-${String(ids).padStart(12, "0")}`;
    },
    hasher: {
      hash: async () => "$argon2id$",
      verify: async () => false,
      waiting: () => 0,
      warmUp: async () => {},
      close: () => {},
    },
    signups: {
      idle: async () => {},
      write: async ({ email, userName }) => {
        if (email.startsWith("taken")) return { kind: "email_taken" };
        if (userName.startsWith("taken")) return { kind: "user_name_taken" };
        if (email.startsWith("broken")) throw new Error("it broke");
        return { kind: "created", createdAt: new Date(0) };
      },
    },
    admit: async ({ email }) => {
      if (email.startsWith("refused")) throw new ProblemError("too_many_requests", { headers: { "Retry-After": "3" } });
      return { headers: { RateLimit: '"client";r=3;t=5' }, confirm: async () => {} };
    },
  });
  return app;
};

const word = fc.constantFrom("hoa", "taken", "broken", "refused", "admin", "", "Đặng Thị Hoa", "a\u202Eb");
const plausible = fc
  .record(
    {
      user_name: fc.oneof({ weight: 4, arbitrary: word }, fc.string()),
      email: fc.oneof(
        { weight: 4, arbitrary: word.map((local) => `${local}@example.com`) },
        fc.emailAddress(),
        fc.string(),
      ),
      password: fc.oneof(
        { weight: 6, arbitrary: fc.constant("một mật khẩu đủ dài") },
        fc.string({ maxLength: 150 }),
        fc.string({ unit: "binary" }),
      ),
      locale: fc.constantFrom("vi", "en", "vi", "fr"),
      further: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((body) => JSON.stringify(body));
const text = fc.oneof(
  { weight: 8, arbitrary: plausible },
  fc.json(),
  fc.string(),
  fc.constant('{"email":"a@example.com","email":"b@example.com"}'),
);
const body = fc.oneof(
  { weight: 9, arbitrary: text.map((each) => new TextEncoder().encode(each)) },
  fc.uint8Array({ maxLength: 40 }),
);
const furtherHeaders = fc.record(
  {
    "accept-language": fc.constantFrom("en", "vi;q=0.1, en"),
    traceparent: fc.constantFrom("x", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`),
  },
  { requiredKeys: [] },
);

const answerOf = async (response: Response) => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});

test("a signup is answered alike, directly and by the app, whatever its body is", async () => {
  const [direct, throughApp] = [aPredictableApp(), aPredictableApp()];
  const ask = async (app: typeof direct, bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string>) => {
    const all = { "Content-Type": "application/json", ...headers };
    const request = new Request("http://127.0.0.1/api/v1/user/", { method: "POST", headers: all, body: bytes });
    return answerOf(await app.fetch(request));
  };
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(body, furtherHeaders, async (bytes, headers) => {
      const declared = { ...headers, "Content-Length": String(bytes.byteLength) };
      const answer = await ask(direct, bytes, declared);
      seen.add(answer.status);
      expect(answer).toEqual(await ask(throughApp, bytes, headers));
    }),
    { numRuns: 400, seed: 57 },
  );
  // What was generated is not all of one kind.
  expect([...seen].sort()).toEqual([201, 400, 422, 429, 500]);
});

/** What becomes of a request: made directly, or left to the app. */
const wayOf = async (request: Request, { turns = 1, fails = false } = {}) => {
  const slots = createSlots({ size: turns, maxWaitMs: 0, onFull: () => new Error("full") });
  const direct = createDirectSignup({
    acceptSignup: async () => {
      if (fails) throw new Error("it failed");
      return {
        answer: {
          ...{
            id: "1",
            user_name: "hoa",
            email: "hoa@example.com",
            locale: "vi",
            created_at: "",
            email_verified: false,
          },
          welcome_email: { event_id: "2", status: "queued", href: "/" },
        },
        more: {},
      };
    },
    clientOf: () => "192.0.2.1",
    newTraceContext: () => ({ traceparent: "" }),
    pacing: { take: () => slots.take() },
    headers: [["X-Frame-Options", "DENY"]],
    paths: new Set(["/api/v1/user/"]),
    app: () => new Response("app"),
  });
  const response = await direct.fetch(request);
  const way = (await response.text()) === "app" ? "app" : "direct";
  return { way, failure: direct.failureOf(request), isTurnFree: slots.take() !== undefined };
};

const declared = (headers: Readonly<Record<string, string>> = {}): Request => {
  const sent = JSON.stringify(aBody());
  return postSignup(sent, { "Content-Length": String(sent.length), ...headers });
};

test("a plain signup is made directly, and its turn is free again", async () => {
  expect(await wayOf(declared())).toEqual({ way: "direct", failure: undefined, isTurnFree: true });
});

test.each([
  ["of another path", () => new Request("http://127.0.0.1/api/v1/user/verify", declared())],
  ["with a query", () => new Request("http://127.0.0.1/api/v1/user/?a", declared())],
  ["of another type", () => declared({ "Content-Type": "application/json; charset=latin1" })],
  ["of no declared length", () => postSignup(aBody())],
  ["too large", () => declared({ "Content-Length": "16385" })],
  ["compressed", () => declared({ "Content-Encoding": "gzip" })],
  ["chunked", () => declared({ "Transfer-Encoding": "chunked" })],
  ["under a key", () => declared({ "Idempotency-Key": "a-key" })],
  ["for a malformed host", () => declared({ Host: "a b" })],
  ["by another method", () => new Request("http://127.0.0.1/api/v1/user/", { method: "DELETE" })],
])("a request %s is left to the app", async (_, request) => {
  expect(await wayOf(request())).toEqual({ way: "app", failure: undefined, isTurnFree: true });
});

test("who has to wait for a turn is left to the app, which lets it wait", async () => {
  expect(await wayOf(declared(), { turns: 0 })).toMatchObject({ way: "app", failure: undefined });
});

test("what failed is answered by the app, with its turn given back", async () => {
  const { way, failure, isTurnFree } = await wayOf(declared(), { fails: true });
  expect([way, String(failure?.error), isTurnFree]).toEqual(["app", "Error: it failed", true]);
});
