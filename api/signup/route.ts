import type { TraceContext } from "../../observability/trace-context.ts";
import { acceptLanguage, header, jsonAnswer, jsonRequest, rateLimitHeaders } from "../openapi/describe.ts";
import { exampleLocation, exampleSignup, exampleSignupRequest } from "../openapi/examples.ts";
import { readJson, requireJson } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import type { Operation } from "../resource.ts";
import { type AcceptSignup, EACH_HAS, locationOf } from "./accept.ts";
import { signupAnswerSchema } from "./answer.ts";
import type { Failure } from "./direct.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { signupSchema } from "./schema.ts";

export interface SignupRouteDeps {
  readonly acceptSignup: AcceptSignup;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  readonly newTraceContext: () => TraceContext;
  /** Why a signup failed that was tried already: to be answered here, as any other. */
  readonly failureOf: (request: Request) => Failure | undefined;
}

/** `POST /api/v1/user`: 201 once user, ledger row and outbox row are committed. */
export const signupRoute = ({ acceptSignup, clientOf, newTraceContext, failureOf }: SignupRouteDeps): Operation => ({
  description: {
    operationId: "signUp",
    summary: "Sign up; a welcome mail follows",
    description:
      "The answer comes once user, event and delivery are committed together: from then on neither is lost. With an " +
      "`Idempotency-Key` it may be repeated, whatever became of the first request. With a slash at its end the path is the same.",
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
        description: "W3C Trace Context; the mail is sent in this trace.",
        schema: { type: "string" },
      },
      acceptLanguage,
    ],
    requestBody: { required: true, content: jsonRequest("SignupRequest", signupSchema, exampleSignupRequest) },
    responses: {
      201: {
        description: "Committed: the user exists, and the mail will be sent.",
        headers: {
          Location: header("Path of the mail's status.", exampleLocation),
          "Idempotent-Replayed": header("`true` if an earlier request under the same key created the user."),
          ...rateLimitHeaders,
        },
        content: jsonAnswer("Signup", signupAnswerSchema, exampleSignup),
      },
    },
    problems: [
      "malformed_json",
      "invalid_idempotency_key",
      "email_taken",
      "user_name_taken",
      "body_too_large",
      "unsupported_media_type",
      "validation_failed",
      "idempotency_key_reused",
      "too_busy",
      "database_unavailable",
    ],
  },
  handler: async (c) => {
    const request = c.req.raw;
    const failure = failureOf(request);
    if (failure !== undefined) throw failure.error;
    // First of all, because a connection that has ended has no address.
    const client = clientOf(request);
    requireJson(c.req.header("content-type"));
    const idempotencyKeyHash = readIdempotencyKey(c.req.header("idempotency-key"));
    const body = await readJson(c);
    const trace = traceOf(c, newTraceContext);
    const accepted = await acceptSignup({ request, client, body, idempotencyKeyHash, trace });
    return c.json(accepted.answer, 201, { Location: locationOf(accepted), ...EACH_HAS, ...accepted.more });
  },
});
