import type { Handler } from "hono";
import type { EventStatus } from "../../database/event-status.ts";
import { isUuid } from "../../database/uuid.ts";
import { ProblemError } from "../problem.ts";
import { toEventStatusAnswer } from "./event-status.ts";

/**
 * `GET /api/v1/events/{event_id}`: what became of a mail, from the ledger alone. An id that is no UUID names nothing, so
 * it is 404 as an unknown one is.
 */
export const eventRoute =
  (findEventStatus: (eventId: string) => Promise<EventStatus | undefined>): Handler =>
  async (c) => {
    const eventId = c.req.param("event_id");
    const found = isUuid(eventId) ? await findEventStatus(eventId) : undefined;
    if (found === undefined) throw new ProblemError("event_not_found");
    return c.json(toEventStatusAnswer(found), 200, { "Cache-Control": "no-store" });
  };
