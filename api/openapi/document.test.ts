import { afterAll, expect, test } from "bun:test";
import { z } from "zod";
import { openDatabase } from "../../database/connection.ts";
import { anApp } from "../app-for-tests.ts";
import { problemSchema } from "../problem.ts";
import { isProblemCode, PROBLEM_TYPES } from "../problem-types.ts";
import { signupAnswerSchema } from "../signup/answer.ts";
import { signupSchema } from "../signup/schema.ts";
import { eventStatusSchema } from "../status/event-status.ts";
import { exampleEventStatus, exampleProblem, exampleSignup, exampleSignupRequest } from "./examples.ts";

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

test("it is OpenAPI 3.1, and all references resolve", () => {
  expect(document.openapi).toBe("3.1.0");
  const refs = valuesOf("$ref", document);
  expect(refs.length).toBeGreaterThan(10);
  for (const ref of refs) {
    const path = String(ref).replace(/^#\//, "").split("/");
    expect(path.reduce((node, part) => node?.[part], document)).toBeObject();
  }
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
  // The path without its last slash is an alias.
  expect(described.toSorted()).toEqual([...new Set(registered)].filter((it) => it !== "POST /api/v1/user").toSorted());
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

test("the code of a problem is an enum of all codes", () => {
  expect(document.components.schemas.Problem.properties.code.enum).toEqual(Object.keys(PROBLEM_TYPES));
});

test("the body is described by the schema that validates it, without unreadable patterns", () => {
  const { properties, required } = document.components.schemas.SignupRequest;
  expect(required).toEqual(["user_name", "email", "password"]);
  expect(properties.user_name).toMatchObject({ type: "string", minLength: 1, maxLength: 64 });
  expect(properties.email).toMatchObject({ type: "string", format: "email", maxLength: 254 });
  expect(properties.password).toMatchObject({ type: "string", minLength: 12, maxLength: 128, writeOnly: true });
  expect(properties.locale).toMatchObject({ enum: ["vi", "en"], default: "vi" });
  expect(valuesOf("pattern", document)).toEqual(["^(?!\\.{1,2}$)[\\x21-\\x7e]{1,128}$", "^[\\x21-\\x7e]+$"]);
  expect(text).not.toContain("9007199254740991");
});

test("the examples match their schemas", () => {
  expect(signupSchema.parse(exampleSignupRequest)).toMatchObject(exampleSignupRequest);
  expect(z.strictObject(signupAnswerSchema.shape).parse(exampleSignup)).toEqual(exampleSignup);
  expect(z.strictObject(eventStatusSchema.shape).parse(exampleEventStatus)).toEqual(exampleEventStatus);
  for (const code of Object.keys(PROBLEM_TYPES).filter(isProblemCode)) problemSchema.parse(exampleProblem(code));
});

test("examples use reserved domains only", () => {
  const hosts = [...text.matchAll(/@([\w.-]+)/g)].map((match) => match[1]);
  expect(hosts.filter((host) => !/(^|\.)example(\.com)?\.?$/.test(host ?? ""))).toEqual([]);
});
