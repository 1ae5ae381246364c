import { z } from "zod";
import { EMAIL_STATES, isFinal } from "../../database/email-state.ts";
import type { EventStatus } from "../../database/event-status.ts";

const state = z.enum(EMAIL_STATES).meta({
  description:
    "Not final: queued, sending, retrying, uncertain (it cannot be known whether the mail was sent), held " +
    "(until an operator decides). Final: sent, dead, suppressed, cancelled.",
});

/** The body of `GET /api/v1/events/{event_id}`. */
export const eventStatusSchema = z.object({
  event_id: z.uuid(),
  state,
  status: state.meta({ description: "The same as `state`." }),
  final: z.boolean().meta({ description: "The state will not change any more, unless an operator intervenes." }),
  attempts: z.int().meta({ description: "Attempts that a working mail server answered." }),
  uncertain: z.int().meta({ description: "How often it could not be known whether the mail was sent." }),
  next_try_at: z.iso.datetime().nullable(),
  reason: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  timeline: z
    .array(
      z.object({
        at: z.iso.datetime(),
        state,
        by: z.string().optional().meta({ description: "The consumer or process that made the change." }),
        reason: z.string().optional(),
        attempt: z.int().optional(),
      }),
    )
    .meta({ description: "Oldest first, the last 50 steps." }),
});

export type EventStatusAnswer = z.output<typeof eventStatusSchema>;

/** The ledger's row as a response body: times in ISO 8601, UTC. */
export const toEventStatusAnswer = (found: EventStatus): EventStatusAnswer => ({
  event_id: found.eventId,
  state: found.state,
  status: found.state,
  final: isFinal(found.state),
  attempts: found.attempts,
  uncertain: found.uncertain,
  next_try_at: found.nextTryAt?.toISOString() ?? null,
  reason: found.reason,
  created_at: found.createdAt.toISOString(),
  updated_at: found.updatedAt.toISOString(),
  timeline: found.timeline.map((step) => ({ ...step, at: new Date(step.at).toISOString() })),
});
