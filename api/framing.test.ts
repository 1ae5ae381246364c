import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { Hono } from "hono";
import type { LoggedEvent } from "../database/events.ts";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { aBody, anApp, postSignup } from "./app-for-tests.ts";
import { problemOf } from "./errors.ts";
import { problemResponse } from "./problem.ts";
import { readText } from "./read-body.ts";

let database: TestDatabase;
let port = 0;
let committed: readonly LoggedEvent[] = [];
let server: ReturnType<typeof Bun.serve>;
beforeAll(async () => {
  database = await withTestDatabase();
  const served = anApp(database.db);
  committed = served.committed;
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: served.app.fetch });
  port = server.port ?? 0;
});
afterAll(async () => {
  await server.stop(true);
  await database.drop();
});

/** Sends bytes, and resolves with all that comes back until the server closes the connection. */
const rawTo = (to: number, ...lines: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(to, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.on("data", (bytes) => {
      answer += bytes.toString();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });

const raw = (...lines: readonly string[]): Promise<string> => rawTo(port, ...lines);

const CLOSE = "Connection: close";

type Shape = readonly [name: string, lines: readonly string[], status: number];

test.each<Shape>([
  ["HTTP/1.0, as health checks of old speak it", ["GET /livez HTTP/1.0"], 200],
  ["HTTP/1.0 that would keep the connection", ["GET /livez HTTP/1.0", "Connection: keep-alive"], 200],
  ["an empty Host", ["GET /livez HTTP/1.1", "Host:", CLOSE], 200],
  ["a Host in brackets", ["GET /livez HTTP/1.1", "Host: [::1]:3000", CLOSE], 200],
  ["a Host with an underscore", ["GET /livez HTTP/1.1", "Host: my_pod:3000", CLOSE], 200],
  ...[
    "a b",
    "[::",
    "x:99999",
    "x:y",
    "user:pass@evil.example",
    "evil.example/x",
    "evil?x",
    "a\\b",
    "%zz",
    '"a"',
    "é",
  ].map((host): Shape => [`the Host ${host}`, ["GET /livez?x=1 HTTP/1.1", `Host: ${host}`, CLOSE], 400]),
  ["two Hosts", ["GET /livez HTTP/1.1", "Host: a", "Host: b", CLOSE], 400],
  ["a whole URL, of another host", ["GET http://evil.example/livez HTTP/1.1", "Host: x", CLOSE], 200],
  ["TRACE", ["TRACE / HTTP/1.1", "Host: x", CLOSE], 405],
  ["CONNECT", ["CONNECT evil.example:80 HTTP/1.1", "Host: x", CLOSE], 404],
  ["PROPFIND", ["PROPFIND /api/v1/user/ HTTP/1.1", "Host: x", CLOSE], 405],
  ["dots that lead out", ["GET /a/../../../livez HTTP/1.1", "Host: x", CLOSE], 200],
  ["dots that lead out, escaped", ["GET /docs/%2e%2e%2f%2e%2e%2fpackage.json HTTP/1.1", "Host: x", CLOSE], 404],
  ["escapes that are none", ["GET /signups/%zz%ff%00 HTTP/1.1", "Host: x", CLOSE], 404],
  ["a long path", [`GET /${"a/".repeat(5_000)} HTTP/1.1`, "Host: x", CLOSE], 404],
  [
    "198 headers",
    ["GET /livez HTTP/1.1", "Host: x", CLOSE, ...Array.from({ length: 196 }, (_, at) => `X-${at}: 1`)],
    200,
  ],
  ["a page without a Host", ["GET /?lang=en HTTP/1.0"], 200],
  ["two slashes", ["GET // HTTP/1.1", "Host: x", CLOSE], 404],
  ["a method that a page does not have", ["PATCH / HTTP/1.1", "Host: x", "Content-Length: 0", CLOSE], 405],
  [
    "a form of another site, without a Host",
    ["POST / HTTP/1.0", "Origin: http://evil.example", "Content-Type: application/x-www-form-urlencoded"],
    403,
  ],
])("%s", async (_, lines, status) => {
  const answer = await raw(...lines);
  expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
  expect(answer.toLowerCase()).toContain("x-content-type-options: nosniff");
});

const CHUNKED = "Transfer-Encoding: chunked";

/** Refused by Bun's own parser, before any of our code; each could be read in two ways by two servers in a row. */
test.each<Shape>([
  ["a length and chunks", ["Content-Length: 2", CHUNKED], 400],
  ["two lengths", ["Content-Length: 2", "Content-Length: 3"], 400],
  ["a list of lengths", ["Content-Length: 2, 2"], 400],
  ["a length with a sign", ["Content-Length: +2"], 400],
  ["a length before a space", ["Content-Length : 2"], 400],
  ["chunks that are not the last coding", ["Transfer-Encoding: chunked, identity"], 400],
  ["two codings", ["Transfer-Encoding: gzip, chunked"], 400],
  ["two fields of codings", [CHUNKED, "Transfer-Encoding: identity"], 400],
  ["a coding after a vertical tab", ["Transfer-Encoding: \x0bchunked"], 400],
  ["a folded line", ["X-A: 1", " 2"], 400],
  ["a NUL in a value", ["X-A: a\0b"], 400],
  ["a CR in a value", ["X-A: a\rb"], 400],
  ["a name with a space", ["X A: 1"], 400],
  ["a line without a colon", ["nothing"], 400],
  ["199 headers", Array.from({ length: 198 }, (_, at) => `X-${at}: 1`), 431],
  ["a header of 20 kB", [`X-A: ${"a".repeat(20_000)}`], 431],
])("%s: refused, and the connection closed", async (_, lines, status) => {
  const answer = await raw("POST /api/v1/user/ HTTP/1.1", "Host: x", ...lines);
  expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
  expect(answer).not.toContain("HTTP/1.1 2");
});

/** Bun 1.4.5 closes a connection whose client does not wait: docs/http.md says what a client can do. */
test("a signup with another request behind it is repeated by its Idempotency-Key: one user, and an answer", async () => {
  const body = JSON.stringify(aBody());
  const headers = ["Host: x", "Content-Type: application/json", "Idempotency-Key: a-key-of-its-own"];
  const signup = [
    "POST /api/v1/user/ HTTP/1.1",
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
  const pipelined = await raw(`${signup}GET /livez HTTP/1.1`, "Host: x", CLOSE);
  expect(pipelined).not.toContain("HTTP/1.1 5");
  const again = await eventually(async () => {
    const answer = await raw(...signup.replace("Host: x", `Host: x\r\n${CLOSE}`).split("\r\n"));
    return answer.startsWith("HTTP/1.1 201") && answer;
  });
  const { id } = JSON.parse(again.split("\r\n\r\n")[1] ?? "");
  const users = await database.db.selectFrom("users").select("id").where("id", "=", id).execute();
  expect(users).toHaveLength(1);
});

test("a trace context is read as the W3C's suite sends it: blanks around it, names in any case, a list in two fields", async () => {
  const traceId = "12345678901234567890123456789012";
  const signUp = async (...headers: readonly string[]) => {
    const body = JSON.stringify(aBody());
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    const type = "Content-Type: application/json";
    const answer = await raw("POST /api/v1/user/ HTTP/1.1", "Host: x", CLOSE, type, length, ...headers, "", body);
    expect(answer).toStartWith("HTTP/1.1 201 ");
    return committed.at(-1);
  };
  const parent = `00-${traceId}-1234567890123456-01`;
  const event = await signUp(`TRACEPARENT: \t ${parent} \t`, "TraceState: foo=1 ,", "tracestate:", "tracestate: bar=2");
  expect(event).toMatchObject({ traceparent: parent, tracestate: "foo=1,bar=2" });
  expect((await signUp(`traceparent: ${parent}`, `traceparent: ${parent}`))?.traceparent).not.toContain(traceId);
});

test("a large body that nobody reads is not waited for", async () => {
  const unread = ["POST /nowhere HTTP/1.1", "Host: x", "Content-Length: 100000000"];
  expect((await raw(...unread)).slice(0, 13)).toBe("HTTP/1.1 404 ");
  expect((await raw("POST /nowhere HTTP/1.1", "Host: x", CHUNKED)).slice(0, 13)).toBe("HTTP/1.1 404 ");
});

test("a body that arrives byte by byte has a deadline", async () => {
  const slow = new Hono().post("/", async (c) => c.text(await readText(c, "bad_request", 50)));
  slow.onError((error, c) => problemResponse(c, problemOf(error)));
  await using slowServer = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: slow.fetch });
  const answer = await rawTo(slowServer.port ?? 0, "POST / HTTP/1.1", "Host: x", "Content-Length: 1000");
  expect(answer.slice(0, 13)).toBe("HTTP/1.1 408 ");
});

test("HEAD says how long the answer to GET is", async () => {
  for (const path of ["/livez", "/", "/openapi.json", "/nowhere"]) {
    const [head, get] = [
      await raw(`HEAD ${path} HTTP/1.1`, "Host: x", CLOSE),
      await raw(`GET ${path} HTTP/1.1`, "Host: x", CLOSE),
    ];
    const lengthOf = (answer: string) => /\r\ncontent-length: (\d+)/i.exec(answer)?.[1];
    expect(lengthOf(head)).toBe(lengthOf(get) ?? "");
    expect(head).toEndWith("\r\n\r\n");
  }
});

test.each([
  ['{"user_name":"a","user_name":"b"}', "a name twice"],
  [`{"a":${"[".repeat(20)}${"]".repeat(20)}}`, "too deep"],
  [`{"a":[${"0,".repeat(1_500)}0]}`, "too many values"],
])("JSON that is not the same to every reader, or made to be expensive, is 400: %.40s, %s", async (body) => {
  const { app } = anApp(database.db);
  const refused = await app.fetch(postSignup(body));
  expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ code: "malformed_json" })]);
});

test("`__proto__` in a body is a field as any other", async () => {
  const { app } = anApp(database.db);
  const body = JSON.stringify(aBody()).replace("{", '{"__proto__":{"user_name":"x","is_admin":true},"constructor":1,');
  expect((await app.fetch(postSignup(body))).status).toBe(201);
  expect(Object.hasOwn(Object.prototype, "is_admin")).toBe(false);
});

test("what is wrong is a page to a browser, and a problem to a program", async () => {
  const { app } = anApp(database.db);
  const ask = (path: string, headers: Readonly<Record<string, string>>, method = "GET") =>
    app.request(path, { method, headers });
  const BROWSER = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en" };
  const page = await ask("//evil.example", BROWSER);
  const html = await page.text();
  expect([page.status, page.headers.get("content-type"), page.headers.get("vary")]).toEqual([
    404,
    "text/html; charset=UTF-8",
    "Accept, Accept-Language",
  ]);
  expect(html).toContain("<h1>Not found</h1>");
  expect(html).not.toContain("evil");
  const wrongMethod = await ask("/", BROWSER, "PUT");
  expect([wrongMethod.status, wrongMethod.headers.get("allow")]).toEqual([405, "GET, HEAD, POST, OPTIONS"]);
  expect(await wrongMethod.text()).toStartWith("<!DOCTYPE html>");
  for (const [path, accept] of [
    ["/nowhere", "*/*"],
    ["/nowhere", "text/html;q=0, application/json"],
    ["/api/v1/nowhere", "text/html"],
  ] as const) {
    const machine = await ask(path, { Accept: accept });
    expect([machine.status, machine.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  }
});

test("a compressed body is 415, since nobody would decode it", async () => {
  const { app } = anApp(database.db);
  const refused = await app.fetch(postSignup(aBody(), { "Content-Encoding": "gzip" }));
  expect(refused.status).toBe(415);
  expect(refused.headers.get("accept-encoding")).toBe("identity");
  const accepted = await app.fetch(postSignup(aBody(), { "Content-Encoding": "identity" }));
  expect([accepted.status, accepted.headers.get("cache-control")]).toEqual([201, "no-store"]);
});
