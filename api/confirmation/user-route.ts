import type { Context } from "hono";
import { z } from "zod";
import type { UserVerification } from "../../database/users/verification.ts";
import { isUuid } from "../../database/uuid.ts";
import { acceptLanguage, jsonAnswer, needsServiceToken } from "../openapi/describe.ts";
import { exampleSignup } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import type { Operation } from "../resource.ts";

const userSchema = z.object({
  id: z.uuid(),
  email_verified: z.boolean(),
  email_verified_at: z.iso.datetime().nullable(),
  disowned_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
});

export interface UserRouteDeps {
  readonly findVerification: (userId: string) => Promise<UserVerification | undefined>;
  /** Throws unless the caller is authorized. */
  readonly requireServiceToken: (c: Context) => void;
}

const toAnswer = ({ userId, verifiedAt, disownedAt, createdAt }: UserVerification): z.output<typeof userSchema> => ({
  id: userId,
  email_verified: verifiedAt !== null,
  email_verified_at: verifiedAt?.toISOString() ?? null,
  disowned_at: disownedAt?.toISOString() ?? null,
  created_at: createdAt.toISOString(),
});

/** `GET /api/v1/user/{user_id}`: whether a user's address is confirmed. No name and no address. */
export const userRoute = ({ findVerification, requireServiceToken }: UserRouteDeps): Operation => ({
  description: {
    operationId: "getUser",
    summary: "Whether a user's address is confirmed",
    description: "For machines, which know the id from the answer to a signup. It has no name and no address.",
    tags: ["signup"],
    security: needsServiceToken,
    parameters: [
      {
        name: "user_id",
        in: "path",
        required: true,
        schema: { type: "string", format: "uuid" },
        example: exampleSignup.id,
      },
      acceptLanguage,
    ],
    responses: {
      200: {
        description:
          "`email_verified_at` is null until the address is confirmed; `disowned_at`, unless its owner has said that they did not sign up.",
        content: jsonAnswer("User", userSchema, {
          id: exampleSignup.id,
          email_verified: false,
          email_verified_at: null,
          disowned_at: null,
          created_at: exampleSignup.created_at,
        }),
      },
    },
    problems: ["user_not_found", "database_unavailable"],
  },
  handler: async (c) => {
    requireServiceToken(c);
    const userId = c.req.param("user_id");
    const found = isUuid(userId) ? await findVerification(userId) : undefined;
    if (found === undefined) throw new ProblemError("user_not_found");
    return c.json(toAnswer(found), 200, { "Cache-Control": "no-store" });
  },
});
