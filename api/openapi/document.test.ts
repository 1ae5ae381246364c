import { expect, test } from "bun:test";
import { z } from "zod";
import { problemSchema } from "../problem.ts";
import { PROBLEM_TYPES } from "../problem-types.ts";
import { signupAnswerSchema } from "../signup/answer.ts";
import { signupSchema } from "../signup/schema.ts";
import { eventStatusSchema } from "../status/event-status.ts";
import { openapiDocument } from "./document.ts";
import { exampleEventStatus, exampleProblem, exampleSignup, exampleSignupRequest } from "./examples.ts";

const text = JSON.stringify(openapiDocument("Toblug"));
const document = JSON.parse(text);

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

test("every operation has an id of its own, an answer, and its path parameters", () => {
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

test("the body is described by what validates it, without patterns that nobody can read", () => {
  const { properties, required } = document.components.schemas.SignupRequest;
  expect(required).toEqual(["user_name", "email", "password"]);
  expect(properties.user_name).toMatchObject({ type: "string", minLength: 1, maxLength: 64 });
  expect(properties.email).toMatchObject({ type: "string", format: "email", maxLength: 254 });
  expect(properties.password).toMatchObject({ type: "string", minLength: 12, maxLength: 128, writeOnly: true });
  expect(properties.locale).toMatchObject({ enum: ["vi", "en"], default: "vi" });
  expect(valuesOf("pattern", document)).toEqual(["^[\\x21-\\x7e]+$"]);
  expect(text).not.toContain("9007199254740991");
});

test("the examples are what they are examples of", () => {
  expect(signupSchema.parse(exampleSignupRequest)).toMatchObject(exampleSignupRequest);
  expect(z.strictObject(signupAnswerSchema.shape).parse(exampleSignup)).toEqual(exampleSignup);
  expect(z.strictObject(eventStatusSchema.shape).parse(exampleEventStatus)).toEqual(exampleEventStatus);
  for (const code of Object.keys(PROBLEM_TYPES)) {
    if (Object.hasOwn(PROBLEM_TYPES, code)) problemSchema.parse(exampleProblem(code as keyof typeof PROBLEM_TYPES));
  }
});

test("examples use reserved domains alone", () => {
  const hosts = [...text.matchAll(/@([\w.-]+)/g)].map((match) => match[1]);
  expect(hosts.filter((host) => !/(^|\.)example(\.com)?\.?$/.test(host ?? ""))).toEqual([]);
});
