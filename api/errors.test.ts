import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { Context } from "hono";
import pino from "pino";
import { openDatabase } from "../database/connection.ts";
import { createLogger } from "../observability/logger.ts";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { silentLog } from "../tests/pipeline.ts";
import { aBody, anApp, CLIENT, postSignup } from "./app-for-tests.ts";
import { createErrorReporter } from "./errors.ts";
import { createPasswordHasher, MAX_WAITING } from "./passwords/hasher.ts";
import { createHashWorker } from "./passwords/worker.ts";
import { ProblemError } from "./problem.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const expectProblem = async (response: Response, status: number, code: string) => {
  const problem = await response.json();
  expect(problem).toMatchObject({ code });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(problem).toMatchObject({
    type: `/problems/${code}`,
    status,
    title: expect.any(String),
    detail: expect.any(String),
  });
  return problem;
};

const request = (path: string, init: RequestInit = {}) => new Request(`http://127.0.0.1${path}`, init);

test("a problem that is not logged costs no stack", () => {
  const report = createErrorReporter(silentLog);
  const refusal = new ProblemError("too_many_requests");
  let stacks = 0;
  Object.defineProperty(refusal, "stack", { get: () => (stacks += 1) });
  expect(report(refusal, new Context(request("/"))).code).toBe("too_many_requests");
  expect(stacks).toBe(0);
});

test("404, 405 and OPTIONS say what exists", async () => {
  const { app } = anApp(database.db);
  await expectProblem(await app.fetch(request("/nothing/here")), 404, "not_found");
  const wrongMethod = await app.fetch(request("/api/v1/user/", { method: "DELETE" }));
  expect(wrongMethod.headers.get("allow")).toBe("POST, OPTIONS");
  await expectProblem(wrongMethod, 405, "method_not_allowed");
  const options = await app.fetch(request("/readyz", { method: "OPTIONS" }));
  expect(options.status).toBe(204);
  expect(options.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  const head = await app.fetch(request("/readyz", { method: "HEAD" }));
  expect(head.status).toBe(200);
  expect(await head.text()).toBe("");
});

test.each([
  ["not JSON", "{", 400, "malformed_json"],
  ["empty", "", 400, "malformed_json"],
  ["deeply nested", "[".repeat(16_000), 400, "malformed_json"],
  ["an array", "[]", 422, "validation_failed"],
  ["null", "null", 422, "validation_failed"],
])("a body that is %s", async (_, body, status, code) => {
  const { app } = anApp(database.db);
  await expectProblem(await app.fetch(postSignup(body)), status, code);
});

test("a body that is not UTF-8 is rejected, not repaired", async () => {
  const { app } = anApp(database.db);
  const body = Buffer.from(JSON.stringify(aBody({ user_name: "ba\u00ff" })), "latin1");
  const response = await app.fetch(
    request("/api/v1/user/", { method: "POST", headers: { "Content-Type": "application/json" }, body }),
  );
  await expectProblem(response, 400, "malformed_json");
});

test("422 names every fault by its JSON pointer, in the caller's language", async () => {
  const { app } = anApp(database.db);
  const body = { user_name: "", email: "a@example.com, b@example.com", password: "short" };
  const response = await app.fetch(postSignup(body, { "Accept-Language": "en" }));
  const problem = await expectProblem(response, 422, "validation_failed");
  expect(problem.errors).toEqual([
    { pointer: "#/user_name", detail: "The name must not be empty.", code: "user_name_empty" },
    {
      pointer: "#/email",
      detail: "Enter exactly one email address, such as name@example.com.",
      code: "email_invalid",
    },
    { pointer: "#/password", detail: "The password needs at least 12 characters.", code: "password_too_short" },
  ]);
});

test.each([
  undefined,
  "text/plain",
  "application/x-www-form-urlencoded",
  "application/jsonp",
  "application/json; charset=iso-8859-1",
  "application/json; charset=utf-8; charset=utf-16",
])("the media type %p is 415", async (type) => {
  const { app } = anApp(database.db);
  const headers = type === undefined ? {} : { "Content-Type": type };
  const body = new Blob([JSON.stringify(aBody())]);
  const response = await app.fetch(request("/api/v1/user/", { method: "POST", headers, body }));
  expect(response.headers.get("accept")).toBe("application/json");
  await expectProblem(response, 415, "unsupported_media_type");
});

describe("over a socket", () => {
  let server: Server<undefined>;
  beforeAll(() => {
    const { app } = anApp(database.db);
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
  });
  afterAll(() => server.stop(true));

  const post = (body: BodyInit) =>
    fetch(new URL("/api/v1/user/", server.url), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
  const pieces = (size: number) => {
    const text = JSON.stringify(aBody({ ignored: "x".repeat(size) }));
    return new ReadableStream({
      start(controller) {
        for (let at = 0; at < text.length; at += 1_000) controller.enqueue(Buffer.from(text.slice(at, at + 1_000)));
        controller.close();
      },
    });
  };

  test("more than 16 KiB is 413, with a declared length and chunked; less is not", async () => {
    await expectProblem(await post(JSON.stringify(aBody({ ignored: "x".repeat(17_000) }))), 413, "body_too_large");
    await expectProblem(await post(pieces(17_000)), 413, "body_too_large");
    await expectProblem(await post(pieces(2_000_000)), 413, "body_too_large");
    expect((await post(pieces(15_000))).status).toBe(201);
    expect((await post(JSON.stringify(aBody({ ignored: "x".repeat(15_000) })))).status).toBe(201);
  });
});

test.each([
  ["with a declared length", (text: string): BodyInit => text],
  ["chunked", (text: string): BodyInit => new Blob([text]).stream()],
])("a client that disconnects leaves the hash queue, its body sent %s", async (_, bodyOf) => {
  const endless = { run: () => new Promise<never>(() => {}), isAlive: () => true, end: () => {} };
  const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8, passes: 1, startWorker: () => endless });
  const { app } = anApp(database.db, { hasher });
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
  void hasher.hash("the one that runs");
  const client = new AbortController();
  const answer = fetch(new URL("/api/v1/user/", server.url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: bodyOf(JSON.stringify(aBody())),
    signal: client.signal,
  }).catch((error: unknown) => error);
  await eventually(() => hasher.waiting() === 1);
  client.abort();
  await answer;
  await eventually(() => hasher.waiting() === 0);
  await server.stop(true);
});

test("an unreachable database is 503 with Retry-After, logged once", async () => {
  const lines: string[] = [];
  const log = createLogger({ level: "info", service: "api", destination: { write: (line) => void lines.push(line) } });
  const taken = Bun.listen({ port: 0, hostname: "127.0.0.1", socket: { data() {} } });
  const { port } = taken;
  taken.stop(true);
  const unreachable = openDatabase({
    url: `postgres://nobody@127.0.0.1:${port}/none`,
    poolSize: 1,
    applicationName: "test",
  });
  const { app } = anApp(unreachable, { log });
  for (const sent of [postSignup(aBody()), postSignup(aBody()), request(`/api/v1/events/${Bun.randomUUIDv7()}`)]) {
    const response = await app.fetch(sent);
    expect(response.headers.get("retry-after")).toMatch(/^[2-4]$/);
    await expectProblem(response, 503, "database_unavailable");
  }
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"route":"/api/v1/user/"');
  await unreachable.destroy();
});

test("a full hash queue is 503 with Retry-After; a client that disconnects leaves it", async () => {
  const endless = { run: () => new Promise<never>(() => {}), isAlive: () => true, end: () => {} };
  const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8, passes: 1, startWorker: () => endless });
  const { app } = anApp(database.db, { hasher });
  void hasher.hash("the one that runs");

  const client = new AbortController();
  const abandoned = app.fetch(postSignup(aBody(), {}, client.signal));
  while (hasher.waiting() === 0) await Bun.sleep(0);
  client.abort();
  expect((await abandoned).status).toBe(499);
  expect(hasher.waiting()).toBe(0);

  for (let index = 0; index < MAX_WAITING; index += 1) void hasher.hash("waits", { client: CLIENT }).catch(() => {});
  const response = await app.fetch(postSignup(aBody()));
  expect(response.headers.get("retry-after")).toBe("30");
  await expectProblem(response, 503, "too_busy");
  hasher.close();
});

test("an unexpected error is 500 without a trace, and logged once with method and route, but not with the row", async () => {
  const lines: string[] = [];
  const log = createLogger({ level: "info", service: "api", destination: { write: (line) => void lines.push(line) } });
  const broken = Object.assign(new Error("it broke"), { where: 'JSON data: {"email":"hoa@example.com"}' });
  const { app } = anApp(database.db, {
    log,
    signups: { write: () => Promise.reject(broken), idle: async () => {} },
  });
  const response = await app.fetch(postSignup(aBody()));
  const problem = await expectProblem(response, 500, "internal_error");
  expect(JSON.stringify(problem)).not.toContain("it broke");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "error",
    method: "POST",
    route: "/api/v1/user/",
    error: { message: "it broke", stack: expect.stringContaining("errors.test.ts") },
  });
  expect(lines[0]).not.toContain("JSON data");
});

test("a worker that dies costs one 500; the next signup succeeds", async () => {
  const script = new URL("data:text/javascript,process.exit(1)");
  let started = 0;
  const startWorker = () => {
    started += 1;
    return started === 1 ? createHashWorker(script) : createHashWorker();
  };
  const hasher = createPasswordHasher({ concurrency: 1, memoryKib: 8, passes: 1, startWorker });
  const { app } = anApp(database.db, { hasher, log: pino({ level: "silent" }) });
  await expectProblem(await app.fetch(postSignup(aBody())), 500, "internal_error");
  expect((await app.fetch(postSignup(aBody()))).status).toBe(201);
});
