import { z } from "zod";
import type { TraceContext } from "../../observability/trace-context.ts";
import type { Admit } from "../admission/admission.ts";
import { type FaultCode, type Parsed, parseBy } from "../faults.ts";
import { acceptLanguage, jsonAnswer, jsonRequest } from "../openapi/describe.ts";
import { exampleSignupRequest } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import { readJson, requireJson } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import type { Operation } from "../resource.ts";
import { signupSchema } from "../signup/schema.ts";
import type { Resend } from "./resend.ts";

/** The body: an address, by the same rule as at signup. */
const resendSchema = z.object({ email: signupSchema.shape.email }, { error: (): FaultCode => "not_an_object" });

const acceptedSchema = z.object({ status: z.literal("accepted") });

/** Checks a body and reports all its faults. */
export const parseResend = (body: unknown): Parsed<z.output<typeof resendSchema>> => parseBy(resendSchema, body);

export interface ResendRouteDeps {
  readonly resend: Resend;
  readonly admit: Admit;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  readonly newTraceContext: () => TraceContext;
}

/** `POST /api/v1/user/resend`: 202, whoever has the address. */
export const resendRoute = ({ resend, admit, clientOf, newTraceContext }: ResendRouteDeps): Operation => ({
  description: {
    operationId: "resendConfirmation",
    summary: "Ask for another mail to confirm an address",
    description:
      "The answer is the same whether somebody has the address or not, and whether it is confirmed or not. A mail is sent at " +
      "most once a minute and five times a day to one address.",
    tags: ["signup"],
    parameters: [acceptLanguage],
    requestBody: {
      required: true,
      content: jsonRequest("ResendRequest", resendSchema, { email: exampleSignupRequest.email }),
    },
    responses: {
      202: {
        description: "If the address waits for its confirmation, a mail is on its way.",
        content: jsonAnswer("ResendAccepted", acceptedSchema, { status: "accepted" }),
      },
    },
    problems: [
      "malformed_json",
      "body_too_large",
      "unsupported_media_type",
      "validation_failed",
      "database_unavailable",
    ],
  },
  handler: async (c) => {
    const client = clientOf(c.req.raw);
    requireJson(c.req.header("content-type"));
    const parsed = parseResend(await readJson(c));
    if (parsed.kind === "invalid") throw new ProblemError("validation_failed", { errors: parsed.faults });
    await (await admit({ client, email: parsed.input.email })).confirm?.();
    await resend(parsed.input.email, traceOf(c, newTraceContext));
    const answer: z.output<typeof acceptedSchema> = { status: "accepted" };
    return c.json(answer, 202, { "Cache-Control": "no-store" });
  },
});
