import type { Context } from "hono";
import { languageOf } from "../language.ts";
import { acceptLanguage, type Description, jsonAnswer, needsServiceToken } from "../openapi/describe.ts";
import { EXAMPLE_EVENT_ID, exampleEventStatus } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import type { Operation } from "../resource.ts";
import { eventStatusSchema, type FindEvent, type Reader, toEventStatusAnswer } from "./event-status.ts";

export interface EventRouteDeps {
  readonly findEvent: FindEvent;
  /** Whether the caller holds the service token; throws if it presents a wrong one. */
  readonly isOperator: (c: Context) => boolean;
}

/** Who asks. */
export const readerOf = (c: Context, isOperator: EventRouteDeps["isOperator"]): Reader => ({
  isOperator: isOperator(c),
  language: languageOf(c),
});

/** Anybody may ask; with the service token more is shown. */
export const maySendServiceToken: NonNullable<Description["security"]> = [{}, ...needsServiceToken];

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
 * unknown one is. Without the service token coarse: neither reasons nor who did it.
 */
export const eventRoute = ({ findEvent, isOperator }: EventRouteDeps): Operation => ({
  description: {
    operationId: "getEvent",
    summary: "The status of a mail",
    description: "From the ledger alone. Anybody with the id may ask; holders of the service token are also told why.",
    tags: ["status"],
    security: maySendServiceToken,
    parameters: [eventIdParameter, acceptLanguage],
    responses: {
      200: {
        description: "The state in the ledger.",
        content: jsonAnswer("EventStatus", eventStatusSchema, exampleEventStatus),
      },
    },
    problems: ["event_not_found", "database_unavailable"],
  },
  handler: async (c) => {
    const reader = readerOf(c, isOperator);
    const found = await findEvent(c.req.param("event_id"));
    if (found === undefined) throw new ProblemError("event_not_found");
    return c.json(toEventStatusAnswer(found, reader), 200, {
      "Content-Language": reader.language,
      "Cache-Control": "no-store",
    });
  },
});
