import type { Context } from "hono";
import { z } from "zod";
import { clientKey } from "../client/client.ts";
import { type FaultCode, parseBy } from "../faults.ts";
import { acceptLanguage, jsonAnswer, jsonRequest, needsServiceToken } from "../openapi/describe.ts";
import { exampleSignup, exampleSignupRequest } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import { readJson, requireJson } from "../read-body.ts";
import type { Operation } from "../resource.ts";
import { signupSchema } from "../signup/schema.ts";
import type { VerifyPassword } from "./verify.ts";

const MAX_CLIENT_LENGTH = 128;
const FAULTY_CLIENT = { error: (): FaultCode => "client_invalid" };

/** Address and password, by the same rules as at signup. */
const verifySchema = z.object(
  {
    email: signupSchema.shape.email,
    password: signupSchema.shape.password,
    client: z.string(FAULTY_CLIENT).min(1, FAULTY_CLIENT).max(MAX_CLIENT_LENGTH, FAULTY_CLIENT).optional().meta({
      description:
        "Whom you ask for, as you know it: the address of the person's connection, at best. Attempts of one client slow down no other.",
    }),
  },
  { error: (): FaultCode => "not_an_object" },
);

const verifiedSchema = z.object({
  matches: z.boolean().meta({ description: "Whether the password is that of the user who has the address." }),
  user: z
    .object({ id: z.uuid(), email_verified: z.boolean() })
    .nullable()
    .meta({ description: "null unless it matches: nothing says whether somebody has the address." }),
});

type Verified = z.output<typeof verifiedSchema>;

export interface VerifyRouteDeps {
  readonly verifyPassword: VerifyPassword;
  /** Throws unless the caller is authorized. */
  readonly requireServiceToken: (c: Context) => void;
}

/**
 * `POST /api/v1/user/verify`: for the service that logs people in. This one has no sessions, but it has the hashes, and only
 * where a password is presented can an outdated hash be replaced.
 */
export const verifyRoute = ({ verifyPassword, requireServiceToken }: VerifyRouteDeps): Operation => ({
  description: {
    operationId: "verifyPassword",
    summary: "Whether a password is a user's",
    description:
      "For machines. Of one `client` at one address, known or not, five attempts are free; after each further one it has to wait twice " +
      "as long, from 1 s to 15 minutes, until one succeeds or an hour has passed. Of all clients at one address 50 are free; then those " +
      "that were never right within 30 days wait, up to a minute. A hash that was made at another cost than the settings say is " +
      "replaced when its password is presented.",
    tags: ["signup"],
    security: needsServiceToken,
    parameters: [acceptLanguage],
    requestBody: {
      required: true,
      content: jsonRequest("VerifyRequest", verifySchema, {
        email: exampleSignupRequest.email,
        password: exampleSignupRequest.password,
        client: "198.51.100.7",
      }),
    },
    responses: {
      200: {
        description: "Whether it matches.",
        content: jsonAnswer("Verified", verifiedSchema, {
          matches: true,
          user: { id: exampleSignup.id, email_verified: false },
        } satisfies Verified),
      },
    },
    problems: [
      "malformed_json",
      "body_too_large",
      "unsupported_media_type",
      "validation_failed",
      "too_many_attempts",
      "too_busy",
      "database_unavailable",
    ],
  },
  handler: async (c) => {
    requireServiceToken(c);
    requireJson(c.req.header("content-type"));
    const parsed = parseBy(verifySchema, await readJson(c));
    if (parsed.kind === "invalid") throw new ProblemError("validation_failed", { errors: parsed.faults });
    const { email, password, client } = parsed.input;
    const user = await verifyPassword({
      email,
      password,
      client: client === undefined ? undefined : clientKey(client),
      signal: c.req.raw.signal,
    });
    const answer: Verified = {
      matches: user !== undefined,
      user: user === undefined ? null : { id: user.userId, email_verified: user.isVerified },
    };
    return c.json(answer, 200, { "Cache-Control": "no-store" });
  },
});
