import type { Context } from "hono";
import { z } from "zod";
import { acceptLanguage, jsonAnswer, needsServiceToken, problems } from "../openapi/describe.ts";
import { ProblemError } from "../problem.ts";
import type { Operation } from "../resource.ts";

const backlogSchema = z.object({
  unfinished: z
    .int()
    .meta({ description: "Mails of the group that are not in a final state, from the ledger; counted up to a bound." }),
});

export interface BacklogRouteDeps {
  /** The number of unfinished mails of a group; undefined if there is no such group. */
  readonly backlog: (group: string) => Promise<number | undefined>;
  /** Throws unless the caller is authorized. */
  readonly requireServiceToken: (c: Context) => void;
}

/** `GET /api/v1/backlog/{group}`: what an autoscaler polls, so that no mail waits for consumers that nobody starts. */
export const backlogRoute = ({ backlog, requireServiceToken }: BacklogRouteDeps): Operation => ({
  description: {
    operationId: "getBacklog",
    summary: "The number of unfinished mails of a group",
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
