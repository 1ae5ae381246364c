import type { DeliveryState } from "./states.ts";

/** One step in a delivery's life, appended by the statement that changes its state. Oldest first; the last 50 are kept. */
export interface TimelineStep {
  /** ISO 8601, Postgres' clock. */
  readonly at: string;
  readonly state: DeliveryState;
  /** Consumer or process that made the change. */
  readonly by?: string;
  readonly reason?: string;
  readonly attempt?: number;
  /** Token of the claim that was taken over by this step: while its owner lives, it may still say that nothing was begun under it. */
  readonly claim?: string;
}

/** SQL expressions of a step's fields; null values are left out. */
export interface StepSql {
  readonly state: string;
  readonly by?: string;
  readonly reason?: string;
  readonly attempt?: string;
  readonly claim?: string;
}

/** A timeline that is longer loses its oldest step. */
export const MOST_STEPS = 50;

/** SQL: by the first step, as `enlistEvents` writes it; false once a long timeline has lost it. */
export const SQL_IS_REPLAYED = "timeline #>> '{0,reason}' is not distinct from 'replayed'";

const stepOf = (step: StepSql): string => {
  const pairs = Object.entries(step).map(([name, expression]) => `'${name}', ${expression}`);
  const object = `jsonb_build_object('at', now(), ${pairs.join(", ")})`;
  // A state is never null, and a signup's statement builds one step for each delivery.
  return pairs.length === 1 ? object : `jsonb_strip_nulls(${object})`;
};

/** SQL: a timeline that begins with one step. */
export const firstStep = (step: StepSql): string => `jsonb_build_array(${stepOf(step)})`;

/** SQL: the timeline of `table` with one more step. Appends rather than rebuilds, which is cheap at any length. */
export const withStep = (table: string, step: StepSql): string => {
  const timeline = `${table}.timeline`;
  const room = `(case when jsonb_array_length(${timeline}) >= ${MOST_STEPS} then ${timeline} - 0 else ${timeline} end)`;
  return `${room} || ${firstStep(step)}`;
};

/**
 * SQL: the timeline of `table` with a step that is noted later than it took place, in its order, with the state of that time. A timeline that has no room
 * is left as it is.
 */
export const withStepAt = (table: string, at: string, reason: string): string => {
  const timeline = `${table}.timeline`;
  const before = `(element.step ->> 'at')::timestamptz <= ${at}`;
  return `case when jsonb_array_length(${timeline}) >= ${MOST_STEPS} then ${timeline} else (
    select coalesce(jsonb_agg(element.step order by element.place) filter (where ${before}), '[]')
      || jsonb_build_array(jsonb_build_object('at', ${at},
        'state', coalesce((jsonb_agg(element.step -> 'state' order by element.place desc) filter (where ${before})) -> 0, '"queued"'),
        'reason', ${reason}))
      || coalesce(jsonb_agg(element.step order by element.place) filter (where not ${before}), '[]')
    from jsonb_array_elements(${timeline}) with ordinality as element (step, place)) end`;
};
