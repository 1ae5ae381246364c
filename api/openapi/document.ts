import { PROBLEM_TYPES, type ProblemCode } from "../problem-types.ts";
import {
  EXAMPLE_EVENT_ID,
  exampleEventStatus,
  exampleLocation,
  exampleProblem,
  exampleSignup,
  exampleSignupRequest,
} from "./examples.ts";
import { componentSchemas } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const ref = (schema: string): Json => ({ $ref: `#/components/schemas/${schema}` });

const json = (schema: string, example?: unknown): Json => ({
  "application/json": { schema: ref(schema), ...(example === undefined ? {} : { example }) },
});

const header = (description: string, example?: string): Json => ({
  description,
  schema: { type: "string", ...(example === undefined ? {} : { examples: [example] }) },
});

const HEADERS_OF_STATUS: Readonly<Record<number, Json>> = {
  401: { "WWW-Authenticate": header("Bearer challenge (RFC 6750).") },
  429: { "Retry-After": header("Whole seconds.", "2") },
  503: { "Retry-After": header("Whole seconds.", "2") },
};

/** The error answers of a route, by status; codes of the same status are examples of one answer. */
const problems = (...codes: readonly ProblemCode[]): Json => {
  const byStatus = Map.groupBy([...codes, "internal_error" as const], (code) => PROBLEM_TYPES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => PROBLEM_TYPES[code].title).join("; "),
        ...(HEADERS_OF_STATUS[status] === undefined ? {} : { headers: HEADERS_OF_STATUS[status] }),
        content: {
          "application/problem+json": {
            schema: ref("Problem"),
            examples: Object.fromEntries(ofStatus.map((code) => [code, { value: exampleProblem(code) }])),
          },
        },
      },
    ]),
  );
};

const acceptLanguage: Json = {
  name: "Accept-Language",
  in: "header",
  description: "`vi` (the default) or `en`: the language of `detail`.",
  schema: { type: "string" },
  example: "en",
};

const signup: Json = {
  operationId: "signUp",
  summary: "Sign up; the welcome mail follows by itself",
  tags: ["signup"],
  parameters: [
    {
      name: "Idempotency-Key",
      in: "header",
      description: "The same key and body within 24 hours give the same answer and one user.",
      schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
      example: "2f1f6c1e-5a57-4a3e-9a43-0d8f0d6f6b0b",
    },
    {
      name: "traceparent",
      in: "header",
      description: "W3C trace context; the mail is sent in this trace.",
      schema: { type: "string" },
    },
    acceptLanguage,
  ],
  requestBody: { required: true, content: json("SignupRequest", exampleSignupRequest) },
  responses: {
    201: {
      description: "Committed: the user is there, and so is the promise of a mail.",
      headers: {
        Location: header("Path of the mail's status.", exampleLocation),
        "Idempotent-Replayed": header("`true` if an earlier request under the same key made the user."),
      },
      content: json("Signup", exampleSignup),
    },
    ...problems(
      "malformed_json",
      "invalid_idempotency_key",
      "email_taken",
      "user_name_taken",
      "body_too_large",
      "unsupported_media_type",
      "validation_failed",
      "idempotency_key_reused",
      "too_many_requests",
      "too_busy",
      "database_unavailable",
    ),
  },
};

const eventIdParameter: Json = {
  name: "event_id",
  in: "path",
  required: true,
  schema: { type: "string", format: "uuid" },
  example: EXAMPLE_EVENT_ID,
};

const event: Json = {
  operationId: "getEvent",
  summary: "What became of a mail",
  tags: ["status"],
  parameters: [eventIdParameter, acceptLanguage],
  responses: {
    200: { description: "As the ledger has it.", content: json("EventStatus", exampleEventStatus) },
    ...problems("event_not_found", "database_unavailable"),
  },
};

const eventStream: Json = {
  operationId: "watchEvent",
  summary: "The same, live: Server-Sent Events until a final state",
  tags: ["status"],
  parameters: [eventIdParameter],
  responses: {
    200: {
      description: "An event `status` at once and at each change; its data is the JSON of the event's status.",
      content: { "text/event-stream": { schema: { type: "string" } } },
    },
    ...problems("event_not_found", "too_busy", "database_unavailable"),
  },
};

const backlog: Json = {
  operationId: "getBacklog",
  summary: "How many mails of a group are unfinished",
  tags: ["operations"],
  security: [{ serviceToken: [] }],
  parameters: [
    { name: "group", in: "path", required: true, schema: { type: "string" }, example: "welcome-email" },
    acceptLanguage,
  ],
  responses: {
    200: { description: "Counted up to a bound.", content: json("Backlog", { unfinished: 3 }) },
    ...problems("unauthorized", "group_not_found", "database_unavailable"),
  },
};

const health = (operationId: string, summary: string, schema: string, example: unknown): Json => ({
  operationId,
  summary,
  tags: ["operations"],
  responses: {
    200: { description: "Yes.", content: json(schema, example) },
    503: { description: "No.", content: json(schema) },
  },
});

/** The OpenAPI 3.1 description of the API; its schemas are those that validate. */
export const openapiDocument = (brandName: string): Json => ({
  openapi: "3.1.0",
  info: {
    title: `${brandName} signup`,
    version: "1.0.0",
    description: "Sign up, and see what became of the welcome mail. Every error is an RFC 9457 problem.",
  },
  servers: [{ url: "/" }],
  paths: {
    "/api/v1/user/": { post: signup },
    "/api/v1/events/{event_id}": { get: event },
    "/api/v1/events/{event_id}/stream": { get: eventStream },
    "/api/v1/backlog/{group}": { get: backlog },
    "/livez": {
      get: health("getLiveness", "Do the loops make progress?", "Liveness", { live: true, loops: { relay: true } }),
    },
    "/readyz": {
      get: health("getReadiness", "Should requests come here?", "Readiness", {
        ready: true,
        checks: { database: "ok" },
      }),
    },
  },
  components: {
    schemas: componentSchemas(),
    securitySchemes: { serviceToken: { type: "http", scheme: "bearer" } },
  },
});
