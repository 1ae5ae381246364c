import { afterAll, expect, test } from "bun:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { z } from "zod";
import { openDatabase } from "../../database/connection.ts";
import { anApp } from "../app-for-tests.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { signupAnswerSchema } from "../signup/answer.ts";
import { signupSchema } from "../signup/schema.ts";
import { eventStatusSchema } from "../status/event-status.ts";
import { exampleEventStatus, exampleSignup, exampleSignupRequest } from "./examples.ts";

/** Never connected to: the document needs no database. */
const db = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
const { app } = anApp(db);
const text = await (await app.request("/openapi.json")).text();
const document = JSON.parse(text);
afterAll(() => db.destroy());

/** Every value under a key, wherever it stands. */
const valuesOf = (key: string, node: unknown): unknown[] =>
  typeof node !== "object" || node === null
    ? []
    : Object.entries(node).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(key, value)]);

/** Redocly's recommended rules: structure, references, and examples that match their schemas among them. */
test("it is OpenAPI 3.1, in which a linter finds nothing", async () => {
  expect(document.openapi).toBe("3.1.0");
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({ source: text, absoluteRef: "openapi.json", config });
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
});

/** What Spectral's `oas` rules ask beyond those; Spectral itself is not among our packages. */
test("it is described for people: whom to ask, each operation, each tag", () => {
  const { info, servers, tags, paths } = document;
  for (const part of [info.contact.url, info.license.name, info.description, servers[0].url]) expect(part).toBeTruthy();
  const described = tags.map((tag: { name: string; description: string }) => tag.description && tag.name);
  for (const item of Object.values<object>(paths)) {
    for (const operation of Object.values(item)) {
      expect(operation.description.length).toBeGreaterThan(20);
      expect(described).toContain(operation.tags[0]);
    }
  }
  const arrays = valuesOf("type", document).filter(
    (type) => type === "array" || Bun.deepEquals(type, ["object", "array"]),
  );
  expect(valuesOf("items", document).filter((items) => !Array.isArray(items)).length).toBeGreaterThanOrEqual(
    arrays.length,
  );
});

test("every operation has a unique id, a response, and its path parameters", () => {
  const ids = valuesOf("operationId", document);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [path, item] of Object.entries<Record<string, { responses: object; parameters?: { name: string }[] }>>(
    document.paths,
  )) {
    for (const operation of Object.values(item)) {
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
        expect(operation.parameters?.map((parameter) => parameter.name)).toContain(name);
      }
    }
  }
});

test("every route of the API and of health is described, at its own path", () => {
  const registered = app.routes
    .filter(({ method, path }) => method !== "ALL" && /^\/(?:api\/|livez|readyz)/.test(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  const described = Object.entries<object>(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // The path with a slash at its end is an alias.
  expect(described.toSorted()).toEqual([...new Set(registered)].filter((it) => it !== "POST /api/v1/user/").toSorted());
});

test("every operation documents 405, with which its path answers other methods", async () => {
  for (const [path, item] of Object.entries<Record<string, { responses: Record<string, object> }>>(document.paths)) {
    for (const { responses } of Object.values(item)) {
      expect(responses["405"]).toMatchObject({ headers: { Allow: expect.anything() } });
    }
    const refused = await app.request(path, { method: "PATCH" });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toContain(Object.keys(item)[0]?.toUpperCase() ?? "");
  }
});

test("each status of each operation says which problems it may be", () => {
  const { schema } = document.paths["/api/v1/user"].post.responses["400"].content["application/problem+json"];
  expect(Object.keys(schema.discriminator.mapping)).toEqual([
    "bad_request",
    "malformed_json",
    "invalid_idempotency_key",
    "email_taken",
    "user_name_taken",
  ]);
  expect(schema.oneOf).toEqual(Object.values(schema.discriminator.mapping).map(($ref) => ({ $ref })));
  const codes = Object.entries<{ properties: { code: { const: string } } }>(document.components.schemas)
    .filter(([name]) => name.endsWith("Problem"))
    .map(([, { properties }]) => properties.code.const);
  // These two are answered where there is no operation, and to forms of pages.
  expect(codes).toEqual(Object.keys(PROBLEM_TYPES).filter((code) => !["not_found", "foreign_origin"].includes(code)));
});

test("an operation that a service token opens may refuse a wrong one, and a client that tries many", () => {
  const responses = document.paths["/api/v1/events/{event_id}"].get.responses;
  expect(responses["401"].content["application/problem+json"].schema.$ref).toEndWith("/UnauthorizedProblem");
  const { mapping } = responses["429"].content["application/problem+json"].schema.discriminator;
  expect(Object.keys(mapping)).toEqual(["too_many_requests", "too_many_tokens"]);
});

test("the body is described by the schema that validates it, without unreadable patterns", () => {
  const { properties, required } = document.components.schemas.SignupRequest;
  expect(required).toEqual(["user_name", "email", "password"]);
  expect(properties.user_name).toMatchObject({ type: "string", minLength: 1, maxLength: 64 });
  expect(properties.email).toMatchObject({ type: "string", format: "email", maxLength: 254 });
  expect(properties.password).toMatchObject({ type: "string", minLength: 12, maxLength: 128, writeOnly: true });
  expect(properties.locale).toMatchObject({ enum: ["vi", "en"], default: "vi" });
  expect(valuesOf("pattern", document).toSorted()).toEqual(["^(?!\\.{1,2}$)[\\x21-\\x7e]{1,128}$", "^[\\x21-\\x7e]+$"]);
  expect(text).not.toContain("9007199254740991");
});

test("the examples match their schemas", () => {
  expect(signupSchema.parse(exampleSignupRequest)).toMatchObject(exampleSignupRequest);
  expect(z.strictObject(signupAnswerSchema.shape).parse(exampleSignup)).toEqual(exampleSignup);
  expect(z.strictObject(eventStatusSchema.shape).parse(exampleEventStatus)).toEqual(exampleEventStatus);
});

test("examples use reserved domains only", () => {
  const hosts = [...text.matchAll(/@([\w.-]+)/g)].map((match) => match[1]);
  expect(hosts.filter((host) => !/(^|\.)example(\.com)?\.?$/.test(host ?? ""))).toEqual([]);
});
