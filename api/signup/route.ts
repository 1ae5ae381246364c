import type { TraceContext } from "../../observability/trace-context.ts";
import type { Admit } from "../admission/admission.ts";
import { acceptLanguage, header, jsonAnswer, jsonRequest, rateLimitHeaders } from "../openapi/describe.ts";
import { exampleLocation, exampleSignup, exampleSignupRequest } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import { readJson, requireJson } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import type { Operation } from "../resource.ts";
import { eventHref, signupAnswerSchema, toSignupAnswer } from "./answer.ts";
import type { SignUp } from "./contract.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { type ParseSignup, signupSchema } from "./schema.ts";

export interface SignupRouteDeps {
  readonly parseSignup: ParseSignup;
  readonly signUp: SignUp;
  readonly admit: Admit;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  readonly newTraceContext: () => TraceContext;
}

/** `POST /api/v1/user`: 201 once user, ledger row and outbox row are committed. */
export const signupRoute = ({ parseSignup, signUp, admit, clientOf, newTraceContext }: SignupRouteDeps): Operation => ({
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
      "too_many_requests",
      "too_busy",
      "database_unavailable",
    ],
  },
  handler: async (c) => {
    // First of all, because a connection that has ended has no address.
    const client = clientOf(c.req.raw);
    requireJson(c.req.header("content-type"));
    const keyHash = readIdempotencyKey(c.req.header("idempotency-key"));
    const parsed = parseSignup(await readJson(c));
    if (parsed.kind === "invalid") throw new ProblemError("validation_failed", { errors: parsed.faults });
    const { input } = parsed;
    const { headers, confirm } = await admit({ client, email: input.email, idempotencyKeyHash: keyHash });
    const outcome = await signUp({
      input,
      client,
      confirm,
      idempotencyKeyHash: keyHash,
      trace: traceOf(c, newTraceContext),
      signal: c.req.raw.signal,
    });
    if (outcome.kind !== "accepted") throw new ProblemError(outcome.kind);
    return c.json(toSignupAnswer(outcome.signup), 201, {
      Location: eventHref(outcome.signup.eventId),
      "Cache-Control": "no-store",
      ...headers,
      ...(outcome.replayed ? { "Idempotent-Replayed": "true" } : {}),
    });
  },
});
