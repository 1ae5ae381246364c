import { acceptLanguage, jsonAnswer, problems } from "../openapi/describe.ts";
import { EXAMPLE_EVENT_ID, exampleEventStatus } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import type { Operation } from "../resource.ts";
import { eventStatusSchema, type FindEvent, toEventStatusAnswer } from "./event-status.ts";

/** The event id in a path, for the OpenAPI document. */
export const eventIdParameter = {
  name: "event_id",
  in: "path",
  required: true,
  schema: { type: "string", format: "uuid" },
  example: EXAMPLE_EVENT_ID,
} as const;

/**
 * `GET /api/v1/events/{event_id}`: the status of a mail, from the ledger alone. An id that is no UUID is 404, as an
 * unknown one is.
 */
export const eventRoute = (findEvent: FindEvent): Operation => ({
  description: {
    operationId: "getEvent",
    summary: "The status of a mail",
    tags: ["status"],
    parameters: [eventIdParameter, acceptLanguage],
    responses: {
      200: {
        description: "The state in the ledger.",
        content: jsonAnswer("EventStatus", eventStatusSchema, exampleEventStatus),
      },
      ...problems("event_not_found", "database_unavailable"),
    },
  },
  handler: async (c) => {
    const found = await findEvent(c.req.param("event_id"));
    if (found === undefined) throw new ProblemError("event_not_found");
    return c.json(toEventStatusAnswer(found), 200, { "Cache-Control": "no-store" });
  },
});
