import type { Context } from "hono";
import { z } from "zod";
import type { Backlog } from "../../database/ledger/counts.ts";
import { acceptLanguage, jsonAnswer, needsServiceToken } from "../openapi/describe.ts";
import { ProblemError } from "../problem.ts";
import type { Operation } from "../resource.ts";

const backlogSchema = z.object({
  unfinished: z.int().meta({
    description: "Deliveries of the group that are not in a final state, from the ledger; counted up to a bound.",
  }),
  waiting: z
    .int()
    .meta({ description: "Deliveries that wait until the group's delay is over, not in `unfinished`; up to a bound." }),
  waits_until: z.iso.datetime().nullable().meta({
    description: "When the first of them is due. It counts as unfinished a minute before, to start a consumer.",
  }),
});

export interface BacklogRouteDeps {
  /** What a group has to do; undefined if there is no such group. */
  readonly backlog: (group: string) => Promise<Omit<Backlog, "oldestAt" | "soon"> | undefined>;
  /** Throws unless the caller is authorized. */
  readonly requireServiceToken: (c: Context) => void;
}

/** `GET /api/v1/backlog/{group}`: what an autoscaler polls, so that no mail waits for consumers that nobody starts. */
export const backlogRoute = ({ backlog, requireServiceToken }: BacklogRouteDeps): Operation => ({
  description: {
    operationId: "getBacklog",
    summary: "What a group has to do, now and later",
    description: "For autoscalers: read from the ledger, so that it is true whatever Redis reports.",
    tags: ["operations"],
    security: needsServiceToken,
    parameters: [
      { name: "group", in: "path", required: true, schema: { type: "string" }, example: "welcome-email" },
      acceptLanguage,
    ],
    responses: {
      200: {
        description: "Counted up to a bound.",
        content: jsonAnswer("Backlog", backlogSchema, { unfinished: 3, waiting: 0, waits_until: null }),
      },
    },
    problems: ["group_not_found", "database_unavailable"],
  },
  handler: async (c) => {
    requireServiceToken(c);
    const found = await backlog(c.req.param("group") ?? "");
    if (found === undefined) throw new ProblemError("group_not_found");
    const { unfinished, waiting, waitsUntil } = found;
    const answer = { unfinished, waiting, waits_until: waitsUntil?.toISOString() ?? null };
    return c.json(answer satisfies z.output<typeof backlogSchema>, 200, { "Cache-Control": "no-store" });
  },
});
