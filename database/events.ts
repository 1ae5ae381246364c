import { firstStep } from "./ledger/timeline.ts";

/** An event, to be written in one statement with the change that it reports. */
export interface NewEvent {
  /** UUIDv7 */
  readonly eventId: string;
  readonly type: string;
  readonly subject: string;
  /** Ids only. */
  readonly data: unknown;
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** A `NewEvent` as a part of a JSON row, with the columns of `SQL_EVENT_ROW`. */
export interface EventRow {
  readonly event_id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
  readonly traceparent: string;
  readonly tracestate: string | null;
}

/** SQL: an `EventRow` in the column list of `json_to_recordset`. */
export const SQL_EVENT_ROW = "event_id uuid, type text, subject text, data jsonb, traceparent text, tracestate text";

export const toEventRow = ({ eventId, type, subject, data, traceparent, tracestate }: NewEvent): EventRow => ({
  event_id: eventId,
  type,
  subject,
  data,
  traceparent,
  tracestate: tracestate ?? null,
});

/** A row of the log: everything that the event's entry is built from. */
export interface LoggedEvent extends EventRow {
  readonly created_at: Date;
}

/** A group that gets a delivery of each event of a type, as `stream/groups.ts` binds it. */
export interface BoundGroup {
  readonly type: string;
  readonly group_name: string;
  /** Delay before its first attempt in ms; null: none. */
  readonly delay_ms: number | null;
}

/** SQL: the columns of a `LoggedEvent`. */
export const SQL_LOGGED_EVENT =
  "events.event_id, events.type, events.subject, events.data, events.traceparent, events.tracestate, events.created_at";

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** SQL: the rows of `bindings`. Constants, since a planner that does not know how few they are would build a hash table. */
export const sqlBindings = (bindings: readonly BoundGroup[]): string => {
  const rows = bindings.map(
    ({ type, group_name, delay_ms }) => `(${literal(type)}, ${literal(group_name)}, ${delay_ms ?? "null"}::float8)`,
  );
  return rows.length === 0 ? "select '', '', 0::float8 where false" : `values ${rows.join(", ")}`;
};

/**
 * SQL: common table expressions that write the event, one delivery for each group that binds to its type, and the outbox
 * row. They belong into the statement that makes the change which the event reports. `source` names an
 * expression with the columns of an `EventRow`. The first step is the same for all, so it is a query of its own, which is run once.
 */
export const sqlWriteEvents = (source: string, bindings: readonly BoundGroup[]): string => `
  new_events as (
    insert into events (event_id, type, subject, data, traceparent, tracestate)
    select event_id, type, subject, data, traceparent, tracestate from ${source}),
  new_deliveries as (
    insert into deliveries (group_name, event_id, next_try_at, published_at, timeline)
    select bound.group_name, made.event_id, now() + bound.delay_ms * interval '1 ms',
      now() + coalesce(bound.delay_ms, 0) * interval '1 ms', (select ${firstStep({ state: "'queued'" })})
    from ${source} as made join (${sqlBindings(bindings)}) as bound (type, group_name, delay_ms) using (type)),
  new_outbox as (
    insert into outbox (event_id) select event_id from ${source})`;
