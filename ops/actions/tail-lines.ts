import type { DeliveryStatus } from "../../database/ledger/status.ts";
import { isUuid } from "../../database/uuid.ts";
import { type Entry, fieldsOf } from "../../stream/entries.ts";
import { type Group, shownState } from "../../stream/groups.ts";
import { matchesPattern } from "../../stream/routing.ts";

/** Something that happened, without anything personal. */
export type TailLine =
  | { readonly kind: "event"; readonly at: Date; readonly eventId: string; readonly type: string }
  | {
      readonly kind: "state";
      readonly at: Date;
      readonly eventId: string;
      readonly group: string;
      /** In the words of its group. */
      readonly state: string;
      readonly attempt: number | null;
      readonly reason: string | null;
      /** When it is tried, or released; null: it is not known, or it does not wait. */
      readonly nextTryAt: Date | null;
      readonly by: string | null;
    };

/** The line of an entry of the log; undefined: no group that is followed gets it, or it is no event. */
export const eventLine = ({ id, raw }: Entry, groups: readonly Group[]): TailLine | undefined => {
  const { id: eventId = "", type = "" } = fieldsOf(raw ?? []);
  const isFollowed = groups.some(({ types }) => types.some((pattern) => matchesPattern(pattern, type)));
  if (!isFollowed || !isUuid(eventId)) return undefined;
  return { kind: "event", at: new Date(Number(id.split("-")[0])), eventId: eventId.toLowerCase(), type };
};

/** How far each delivery has been shown. */
export interface Shown {
  /** The lines of what has changed since the last call, or since the start for a delivery that is new. */
  changes(deliveries: readonly DeliveryStatus[]): readonly TailLine[];
}

/** Deliveries that are remembered: what changes seconds apart is far fewer. */
const REMEMBERED = 20_000;

/**
 * Makes lines of the steps in the ledger's timelines: each step once. Of a delivery that is met for the first time, steps
 * before `startedAt` are left out, but for the last: a hint has said that it changed.
 */
export const createShown = (groups: readonly Group[], startedAt: Date): Shown => {
  const lastShown = new Map<string, string>();
  const byName = new Map(groups.map((group) => [group.name, group]));

  const newSteps = (key: string, { timeline }: DeliveryStatus) => {
    const known = lastShown.get(key);
    const shownUpTo = timeline.findLastIndex(({ at }) => at === known);
    if (shownUpTo >= 0) return timeline.slice(shownUpTo + 1);
    return timeline.filter(({ at }, index) => index === timeline.length - 1 || Date.parse(at) >= startedAt.getTime());
  };

  return {
    changes: (deliveries) =>
      deliveries.flatMap((delivery) => {
        const group = byName.get(delivery.group);
        const latest = delivery.timeline.at(-1);
        if (group === undefined || latest === undefined) return [];
        const key = `${delivery.eventId}/${delivery.group}`;
        const steps = newSteps(key, delivery);
        // The one that changed least recently is forgotten first.
        lastShown.delete(key);
        lastShown.set(key, latest.at);
        const [oldest] = lastShown.keys();
        if (lastShown.size > REMEMBERED && oldest !== undefined) lastShown.delete(oldest);
        return steps.map(
          (step): TailLine => ({
            kind: "state",
            at: new Date(step.at),
            eventId: delivery.eventId,
            group: group.name,
            state: shownState(group, step.state),
            attempt: step.attempt ?? null,
            reason: step.reason ?? null,
            nextTryAt: step === latest ? delivery.nextTryAt : null,
            by: step.by ?? null,
          }),
        );
      }),
  };
};

/** In the order in which it happened; an event before what became of it. */
export const inOrder = (lines: readonly TailLine[]): readonly TailLine[] =>
  lines.toSorted(
    (left, right) =>
      left.at.getTime() - right.at.getTime() || Number(right.kind === "event") - Number(left.kind === "event"),
  );
