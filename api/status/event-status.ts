import { z } from "zod";
import type { Database } from "../../database/connection.ts";
import { DELIVERY_STATES, isFinal } from "../../database/ledger/states.ts";
import { type DeliveryStatus, findDeliveries } from "../../database/ledger/status.ts";
import { isUuid } from "../../database/uuid.ts";
import { type Group, shownState } from "../../stream/groups.ts";

/** What became of an event: its delivery to the first of the groups that has one. */
export interface EventStatus {
  readonly group: Group;
  readonly delivery: DeliveryStatus;
}

export type FindEvent = (eventId: string | undefined) => Promise<EventStatus | undefined>;
/** The same for many, in one statement, by event id; what is unknown is missing. */
export type FindEvents = (eventIds: readonly string[]) => Promise<ReadonlyMap<string, EventStatus>>;

/** Looks events up for the people whom they are about: `groups` in the order in which they speak for an event. */
export const createFindEvents =
  (db: Database, groups: readonly Group[]): FindEvents =>
  async (eventIds) => {
    const found = new Map<string, EventStatus>();
    const byGroup = Map.groupBy(await findDeliveries(db, ...eventIds), (delivery) => delivery.group);
    for (const group of groups) {
      for (const delivery of byGroup.get(group.name) ?? []) {
        if (!found.has(delivery.eventId)) found.set(delivery.eventId, { group, delivery });
      }
    }
    return found;
  };

/** Looks one event up. */
export const createFindEvent =
  (findEvents: FindEvents): FindEvent =>
  async (eventId) =>
    isUuid(eventId) ? (await findEvents([eventId])).get(eventId.toLowerCase()) : undefined;

const state = z.enum([...DELIVERY_STATES, "sending", "sent", "processing", "completed"]).meta({
  description:
    "Not final: queued, sending, retrying, uncertain (it cannot be known whether the mail was sent), held " +
    "(until an operator decides). Final: sent, dead, suppressed, cancelled. Work that is no mail is active rather than " +
    "sending, and done rather than sent.",
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

/** What the ledger knows, in the words of the group: times in ISO 8601, UTC. */
export const toEventStatusAnswer = ({ group, delivery }: EventStatus): EventStatusAnswer => {
  const shown = shownState(group, delivery.state);
  return {
    event_id: delivery.eventId,
    state: shown,
    status: shown,
    final: isFinal(delivery.state),
    attempts: delivery.attempts,
    uncertain: delivery.uncertain,
    next_try_at: delivery.nextTryAt?.toISOString() ?? null,
    reason: delivery.reason,
    created_at: delivery.createdAt.toISOString(),
    updated_at: delivery.updatedAt.toISOString(),
    timeline: delivery.timeline.map((step) => ({
      ...step,
      at: new Date(step.at).toISOString(),
      state: shownState(group, step.state),
    })),
  };
};
