import type { Context, Handler } from "hono";
import { type TraceContext, traceContextFromHeaders } from "../../observability/trace-context.ts";
import { activeTraceContext } from "../../observability/tracing.ts";
import { ProblemError } from "../problem.ts";
import { readText, requireJson } from "../read-body.ts";
import { eventHref, toSignupAnswer } from "./answer.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { parseSignup, type SignupInput } from "./schema.ts";
import type { SignUp } from "./sign-up.ts";

export interface SignupRouteDeps {
  readonly signUp: SignUp;
  readonly newTraceContext: () => TraceContext;
}

/** The request's own span, or else the caller's, or else a new one: a signup always has a trace. */
export const traceOf = (c: Context, newTraceContext: () => TraceContext): TraceContext =>
  activeTraceContext() ??
  traceContextFromHeaders(c.req.header("traceparent"), c.req.header("tracestate")) ??
  newTraceContext();

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new ProblemError("malformed_json", { cause });
  }
};

const readSignup = async (c: Context): Promise<SignupInput> => {
  const parsed = parseSignup(parseJson(await readText(c, "malformed_json")));
  if (parsed.kind === "invalid") throw new ProblemError("validation_failed", { errors: parsed.faults });
  return parsed.input;
};

/** `POST /api/v1/user/`: 201 once user, ledger row and outbox row are committed. */
export const signupRoute =
  ({ signUp, newTraceContext }: SignupRouteDeps): Handler =>
  async (c) => {
    requireJson(c.req.header("content-type"));
    const keyHash = readIdempotencyKey(c.req.header("idempotency-key"));
    const input = await readSignup(c);
    const outcome = await signUp({
      input,
      idempotencyKeyHash: keyHash,
      trace: traceOf(c, newTraceContext),
      signal: c.req.raw.signal,
    });
    if (outcome.kind !== "accepted") throw new ProblemError(outcome.kind);
    return c.json(toSignupAnswer(outcome.signup), 201, {
      Location: eventHref(outcome.signup.eventId),
      ...(outcome.replayed ? { "Idempotent-Replayed": "true" } : {}),
    });
  };
