import { afterAll, expect, test } from "bun:test";
import { openDatabase } from "../../database/connection.ts";
import { anApp } from "../app-for-tests.ts";
import { curlOf } from "./curl.ts";
import { operationsIn, readApiDocument } from "./document.ts";

/** Never connected to: the page needs no database. */
const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
const { app } = anApp(db);
afterAll(() => db.destroy());

const textOf = async (path: string): Promise<string> => (await app.request(path)).text();

test("the page shows every operation, with each of its problems, in at most 500 kB with all that it loads", async () => {
  const page = await textOf("/docs");
  const document = readApiDocument(await textOf("/openapi.json"));
  expect(operationsIn(document).length).toBeGreaterThan(10);
  for (const { operationId, path, responses } of operationsIn(document)) {
    const section = page.slice(page.indexOf(`<h3 id="${operationId}-title"`)).split("</section>")[0] ?? "";
    expect(section).toContain(`<div id="${operationId}"`);
    expect(section).toContain(`<code>${path}</code>`);
    for (const { content } of Object.values(responses)) {
      for (const code of Object.keys(content["application/problem+json"]?.examples ?? {})) {
        expect(section).toContain(`href="/problems/${code}?lang=en"`);
      }
    }
  }
  const loaded = [...page.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)].map(([, href = ""]) => href);
  expect(loaded.length).toBe(2);
  const sheets = await Promise.all(loaded.map(textOf));
  expect([page, ...sheets].join("").length).toBeLessThan(500_000);
  expect(page).not.toContain("<script");
});

test("each operation has a command line that calls it", async () => {
  const operations = operationsIn(readApiDocument(await textOf("/openapi.json")));
  const commandOf = (id: string): string => {
    const found = operations.find(({ operationId }) => operationId === id);
    return found === undefined ? "" : curlOf(found, "https://signup.example");
  };
  expect(commandOf("signUp").split(" \\\n  ")).toEqual([
    "curl https://signup.example/api/v1/user",
    "-H 'Idempotency-Key: 2f1f6c1e-5a57-4a3e-9a43-0d8f0d6f6b0b'",
    "-H 'Content-Type: application/json'",
    expect.stringMatching(/^-d '\{.*"email":"hoa@example.com".*\}'$/),
  ]);
  expect(commandOf("watchEvent")).toEndWith("/stream \\\n  -N");
  expect(commandOf("getBacklog")).toContain('/backlog/welcome-email \\\n  -H "Authorization: Bearer $SERVICE_TOKEN"');
});
