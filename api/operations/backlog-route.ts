import type { Context, Handler } from "hono";
import { z } from "zod";
import { ProblemError } from "../problem.ts";

export const backlogSchema = z.object({
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
export const backlogRoute =
  ({ backlog, requireServiceToken }: BacklogRouteDeps): Handler =>
  async (c) => {
    requireServiceToken(c);
    const unfinished = await backlog(c.req.param("group") ?? "");
    if (unfinished === undefined) throw new ProblemError("group_not_found");
    return c.json({ unfinished } satisfies z.output<typeof backlogSchema>, 200, { "Cache-Control": "no-store" });
  };
