import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { aBody, anApp, postSignup } from "./app-for-tests.ts";

let database: TestDatabase;
let port = 0;
let server: ReturnType<typeof Bun.serve>;
beforeAll(async () => {
  database = await withTestDatabase();
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: anApp(database.db).app.fetch });
  port = server.port ?? 0;
});
afterAll(async () => {
  await server.stop(true);
  await database.drop();
});

/** Sends bytes, and resolves with all that comes back until the server closes the connection. */
const raw = (...lines: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.on("data", (bytes) => {
      answer += bytes.toString();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });

const CLOSE = "Connection: close";

test.each([
  ["HTTP/1.0, as health checks of old speak it", ["GET /livez HTTP/1.0"], 200],
  ["a Host with a space", ["GET /livez HTTP/1.1", "Host: a b", CLOSE], 200],
  ["a Host with half of a bracket", ["GET /livez HTTP/1.1", "Host: [::", CLOSE], 200],
  ["a Host with an impossible port", ["GET /livez?x=1 HTTP/1.1", "Host: x:99999", CLOSE], 200],
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

test("a compressed body is 415, since nobody would decode it", async () => {
  const { app } = anApp(database.db);
  const refused = await app.fetch(postSignup(aBody(), { "Content-Encoding": "gzip" }));
  expect(refused.status).toBe(415);
  expect(refused.headers.get("accept-encoding")).toBe("identity");
  const accepted = await app.fetch(postSignup(aBody(), { "Content-Encoding": "identity" }));
  expect([accepted.status, accepted.headers.get("cache-control")]).toEqual([201, "no-store"]);
});
