import { z } from "zod";
import { EMAIL_STATES, isFinal } from "../../database/email-state.ts";
import type { EventStatus } from "../../database/event-status.ts";

const state = z.enum(EMAIL_STATES).meta({
  description:
    "Waiting or under way: queued, sending, retrying, uncertain (nobody can know whether the mail went out), held " +
    "(for an operator). Final: sent, dead, suppressed, cancelled.",
});

/** The body of `GET /api/v1/events/{event_id}`. */
export const eventStatusSchema = z.object({
  event_id: z.uuid(),
  state,
  status: state.meta({ description: "The same as `state`." }),
  final: z.boolean().meta({ description: "Nothing more will happen by itself." }),
  attempts: z.int().meta({ description: "Tries that a working mail server answered." }),
  uncertain: z.int().meta({ description: "Times that nobody could know whether the mail went out." }),
  next_try_at: z.iso.datetime().nullable(),
  reason: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  timeline: z
    .array(
      z.object({
        at: z.iso.datetime(),
        state,
        by: z.string().optional().meta({ description: "The consumer or process that made the step." }),
        reason: z.string().optional(),
        attempt: z.int().optional(),
      }),
    )
    .meta({ description: "Oldest first, the last 50 steps." }),
});

export type EventStatusAnswer = z.output<typeof eventStatusSchema>;

/** What the ledger knows, as it is told: times in ISO 8601, UTC. */
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
