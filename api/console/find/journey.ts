import type { DeliveryState } from "../../../database/ledger/states.ts";
import { isFinal } from "../../../database/ledger/states.ts";
import type { DeliveryDetails, SignupDetails } from "../../../ops/actions/find.ts";

/** How a state is drawn: it waits, somebody works on it, it is at rest, or it went wrong. */
export type Mood = "waits" | "works" | "rests" | "well" | "wrong";

const MOODS: Readonly<Record<DeliveryState, Mood>> = {
  queued: "waits",
  active: "works",
  retrying: "waits",
  uncertain: "wrong",
  held: "rests",
  done: "well",
  dead: "wrong",
  suppressed: "rests",
  cancelled: "rests",
};

/** A time in which a delivery was in one state, in ms since the event. */
export interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly mood: Mood;
  readonly shown: string;
}

/** The way of an event in one group, or in several to which the very same has happened. */
export interface Lane {
  readonly groups: readonly string[];
  readonly mood: Mood;
  readonly shown: string;
  readonly segments: readonly Segment[];
}

/** One thing that happened to an event, in one of its groups, or in several at once. */
export interface JourneyStep {
  readonly at: Date;
  /** Since the event. */
  readonly afterMs: number;
  readonly groups: readonly string[];
  readonly mood: Mood;
  readonly shown: string;
  readonly attempt: number | undefined;
  readonly reason: string | undefined;
  readonly by: string | undefined;
  /** The other side's words, at the last step. */
  readonly words: string | undefined;
  /** How long it stayed so; null: it still is, or is final. */
  readonly lastedMs: number | null;
}

/** An event in all of its groups, from the request on. */
export interface Journey {
  readonly eventId: string;
  readonly type: string;
  readonly traceId: string;
  readonly startedAt: Date;
  /** To the last thing that happened; to now, while it is not over. What only waits for its group's delay does not stretch it. */
  readonly lengthMs: number;
  readonly isOver: boolean;
  readonly lanes: readonly Lane[];
  readonly steps: readonly JourneyStep[];
  readonly deliveries: readonly DeliveryDetails[];
}

const lastMoment = ({ timeline, bouncedAt }: DeliveryDetails, started: number): number =>
  Math.max(started, bouncedAt?.getTime() ?? 0, ...timeline.map(({ at }) => Date.parse(at)));

const laneOf = (delivery: DeliveryDetails, started: number, endMs: number): Lane => {
  const steps = delivery.timeline;
  const segments = steps.flatMap((step, index): readonly Segment[] => {
    const next = steps[index + 1];
    if (next === undefined && isFinal(step.state)) return [];
    const fromMs = Date.parse(step.at) - started;
    const toMs = next === undefined ? endMs : Date.parse(next.at) - started;
    return [{ fromMs, toMs: Math.max(fromMs, toMs), mood: MOODS[step.state], shown: step.shown }];
  });
  return { groups: [delivery.group], mood: MOODS[delivery.state], shown: delivery.shown, segments };
};

const stepsOf = (delivery: DeliveryDetails, started: number): readonly JourneyStep[] => {
  const { timeline } = delivery;
  const groups = [delivery.group];
  const steps = timeline.map(({ at, state, shown, attempt, reason, by }, index): JourneyStep => {
    const next = timeline[index + 1];
    const words = next === undefined ? (delivery.reply ?? delivery.receipt ?? undefined) : undefined;
    const afterMs = Date.parse(at) - started;
    const lastedMs = next === undefined ? null : Date.parse(next.at) - Date.parse(at);
    return { at: new Date(at), afterMs, groups, mood: MOODS[state], shown, attempt, reason, by, words, lastedMs };
  });
  if (delivery.bouncedAt === null) return steps;
  const bounce: JourneyStep = {
    at: delivery.bouncedAt,
    afterMs: delivery.bouncedAt.getTime() - started,
    groups,
    mood: "wrong",
    shown: "bounced",
    attempt: undefined,
    reason: delivery.bounce ?? undefined,
    by: undefined,
    words: delivery.bounceReply ?? undefined,
    lastedMs: null,
  };
  return [...steps, bounce];
};

/** One for all that say the same of different groups, where the first of them was. */
const folded = <Said extends { readonly groups: readonly string[] }>(said: readonly Said[]): readonly Said[] =>
  [...Map.groupBy(said, (each) => JSON.stringify({ ...each, groups: undefined })).values()].flatMap(
    ([first, ...others]) =>
      first === undefined ? [] : [{ ...first, groups: [...first.groups, ...others.flatMap(({ groups }) => groups)] }],
  );

/** It waits for the delay of its group, and nothing has happened to it. */
const isDelayed = ({ state, attempts, nextTryAt }: DeliveryDetails, now: Date): boolean =>
  state === "queued" && attempts === 0 && nextTryAt !== null && nextTryAt > now;

const journeyOf = (deliveries: readonly [DeliveryDetails, ...DeliveryDetails[]], now: Date): Journey => {
  const [{ eventId, type, traceparent }] = deliveries;
  const startedAt = new Date(
    Math.min(
      ...deliveries.flatMap(({ createdAt, timeline }) => [
        createdAt.getTime(),
        ...timeline.slice(0, 1).map(({ at }) => Date.parse(at)),
      ]),
    ),
  );
  const started = startedAt.getTime();
  const isOver = deliveries.every(({ state }) => isFinal(state));
  const going = deliveries.filter((delivery) => !isDelayed(delivery, now));
  const isAtRest = going.length > 0 && going.every(({ state }) => isFinal(state));
  const end = isAtRest ? Math.max(...going.map((each) => lastMoment(each, started))) : now.getTime();
  const lengthMs = Math.max(1, end - started);
  return {
    eventId,
    type,
    traceId: traceparent.split("-")[1] ?? "",
    startedAt,
    lengthMs,
    isOver,
    lanes: folded(deliveries.map((delivery) => laneOf(delivery, started, lengthMs))),
    steps: folded(deliveries.flatMap((delivery) => stepsOf(delivery, started))).toSorted(
      (left, right) => left.at.getTime() - right.at.getTime(),
    ),
    deliveries,
  };
};

/** The journeys of a signup's events, the latest first. Pure. */
export const journeysOf = ({ deliveries }: Pick<SignupDetails, "deliveries">, now: Date): readonly Journey[] =>
  [...Map.groupBy(deliveries, ({ eventId }) => eventId).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [journeyOf([first, ...others], now)],
  );
