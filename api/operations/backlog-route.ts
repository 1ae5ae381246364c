import type { Context } from "hono";
import { z } from "zod";
import { acceptLanguage, jsonAnswer, needsServiceToken, problems } from "../openapi/describe.ts";
import { ProblemError } from "../problem.ts";
import type { Operation } from "../resource.ts";

const backlogSchema = z.object({
  unfinished: z
    .int()
    .meta({ description: "Mails of the group that are not finished, from the ledger; counted up to a bound." }),
});

export interface BacklogRouteDeps {
  /** Unfinished mails of a group; undefined if there is no such group. */
  readonly backlog: (group: string) => Promise<number | undefined>;
  /** Throws unless the caller may ask. */
  readonly requireServiceToken: (c: Context) => void;
}

/** `GET /api/v1/backlog/{group}`: what an autoscaler asks, so that no mail is stranded when there are no consumers. */
export const backlogRoute = ({ backlog, requireServiceToken }: BacklogRouteDeps): Operation => ({
  description: {
    operationId: "getBacklog",
    summary: "How many mails of a group are unfinished",
    tags: ["operations"],
    security: needsServiceToken,
    parameters: [
      { name: "group", in: "path", required: true, schema: { type: "string" }, example: "welcome-email" },
      acceptLanguage,
    ],
    responses: {
      200: { description: "Counted up to a bound.", content: jsonAnswer("Backlog", backlogSchema, { unfinished: 3 }) },
      ...problems("unauthorized", "group_not_found", "database_unavailable"),
    },
  },
  handler: async (c) => {
    requireServiceToken(c);
    const unfinished = await backlog(c.req.param("group") ?? "");
    if (unfinished === undefined) throw new ProblemError("group_not_found");
    return c.json({ unfinished } satisfies z.output<typeof backlogSchema>, 200, { "Cache-Control": "no-store" });
  },
});
