import { z } from "zod";
import type { Database } from "../../database/connection.ts";
import { DELIVERY_STATES, type DeliveryState, isFinal } from "../../database/ledger/states.ts";
import { type DeliveryStatus, findDeliveries } from "../../database/ledger/status.ts";
import { isUuid } from "../../database/uuid.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
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
    "(until an operator decides). Final: sent, dead, cancelled, and suppressed, which is shown as dead without the service " +
    "token. Work that is no mail is active rather than sending, and done rather than sent.",
});

/** What a state comes down to for the person who waits, in each language. */
const SUMMARIES = {
  on_its_way: { vi: "Đang trên đường đến bạn.", en: "On its way." },
  delivered: { vi: "Đã giao cho nhà cung cấp email của bạn.", en: "Delivered to your mail provider." },
  not_delivered: { vi: "Không thể giao được.", en: "Could not be delivered." },
  done: { vi: "Đã hoàn tất.", en: "Done." },
} as const satisfies Record<string, Readonly<Record<Locale, string>>>;

type Summary = keyof typeof SUMMARIES;

/** The body of `GET /api/v1/events/{event_id}`. */
export const eventStatusSchema = z.object({
  event_id: z.uuid(),
  state,
  status: state.meta({ description: "The same as `state`." }),
  summary: z.enum(["on_its_way", "delivered", "not_delivered", "done"]).meta({
    description: "What it comes down to. `delivered`: to the recipient's mail provider; `done`: work that is no mail.",
  }),
  detail: z.string().meta({ description: "The same for people, in Vietnamese or English, by Accept-Language." }),
  final: z.boolean().meta({ description: "The state will not change any more, unless an operator intervenes." }),
  attempts: z.int().meta({ description: "Attempts that a working mail server answered." }),
  uncertain: z.int().meta({ description: "How often it could not be known whether the mail was sent." }),
  next_try_at: z.iso.datetime().nullable(),
  reason: z.string().nullable().optional().meta({ description: "Why. Only with the service token." }),
  bounced_at: z.iso.datetime().nullable().optional().meta({
    description:
      "When it was reported that the mail, though it had been accepted, did not arrive, or was not wanted. Only with the service token.",
  }),
  bounce: z.string().nullable().optional().meta({
    description: "What was reported then: `bounced` with its code, or `complained`. Only with the service token.",
  }),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  timeline: z
    .array(
      z.object({
        at: z.iso.datetime(),
        state,
        by: z.string().optional().meta({
          description: "The consumer or process that made the change. Only with the service token.",
        }),
        reason: z.string().optional().meta({ description: "Only with the service token." }),
        attempt: z.int().optional().meta({ description: "Only with the service token." }),
      }),
    )
    .meta({ description: "Oldest first, the last 50 steps." }),
});

export type EventStatusAnswer = z.output<typeof eventStatusSchema>;

/** Who asks: holders of the service token are shown everything, all others what anybody with the link may know. */
export interface Reader {
  readonly isOperator: boolean;
  readonly language: Locale;
}

const summaryOf = (group: Group, { state, bounce }: Pick<DeliveryStatus, "state" | "bounce">): Summary => {
  if (!isFinal(state)) return "on_its_way";
  // It was accepted, and came back. Who complains has it.
  if (state !== "done" || bounce?.startsWith("bounced") === true) return "not_delivered";
  return shownState(group, state) === "sent" ? "delivered" : "done";
};

/**
 * What the ledger knows, in the words of the group: times in ISO 8601, UTC. The address may be a stranger's, so the public is
 * not told why: neither reasons, nor that an address is suppressed, nor which process did what.
 */
export const toEventStatusAnswer = ({ group, delivery }: EventStatus, reader: Reader): EventStatusAnswer => {
  const { isOperator, language } = reader;
  const shown = (state: DeliveryState) => shownState(group, state === "suppressed" && !isOperator ? "dead" : state);
  const summary = summaryOf(group, delivery);
  return {
    event_id: delivery.eventId,
    state: shown(delivery.state),
    status: shown(delivery.state),
    summary,
    detail: SUMMARIES[summary][language],
    final: isFinal(delivery.state),
    attempts: delivery.attempts,
    uncertain: delivery.uncertain,
    next_try_at: delivery.nextTryAt?.toISOString() ?? null,
    ...(isOperator
      ? {
          reason: delivery.reason,
          bounced_at: delivery.bouncedAt?.toISOString() ?? null,
          bounce: delivery.bounce,
        }
      : {}),
    created_at: delivery.createdAt.toISOString(),
    updated_at: delivery.updatedAt.toISOString(),
    timeline: delivery.timeline.map(({ at, state, claim: _, ...step }) => ({
      ...(isOperator ? step : {}),
      at: new Date(at).toISOString(),
      state: shown(state),
    })),
  };
};
