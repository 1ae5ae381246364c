import { z } from "zod";
import type { LoggedEvent } from "../../database/events.ts";
import { isTraceparent, type TraceContext } from "../../observability/trace-context.ts";
import { isoTime } from "../../runtime/iso-time.ts";

/** Where events of this service come from (CloudEvents `source`, a URI reference). */
export const SOURCE = "/signup-stream/api";

/**
 * A CloudEvents 1.0 event in binary mode: attributes are fields of the entry, `data` is JSON. It carries ids only;
 * personal data stays in Postgres. `data` is validated by the schema of its type.
 */
export interface StreamEvent extends TraceContext {
  /** Event id: a UUID of 36 characters. Idempotency key of all work on the event. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** What the event is about, as an id; undefined if the entry has none. */
  readonly subject: string | undefined;
  /** RFC 3339. */
  readonly time: string;
  readonly data: unknown;
}

/** The event of a row of the log: always the same id and trace context. */
export const loggedEvent = (row: LoggedEvent): StreamEvent => {
  const event = {
    id: row.event_id,
    source: SOURCE,
    type: row.type,
    subject: row.subject,
    time: isoTime(row.created_at),
    data: row.data,
    traceparent: row.traceparent,
  };
  return row.tracestate === null ? event : { ...event, tracestate: row.tracestate };
};

/** Fields and values as XADD takes them. */
export const encodeEvent = (event: StreamEvent): string[] => {
  const fields = ["specversion", "1.0", "id", event.id, "source", event.source, "type", event.type];
  if (event.subject !== undefined) fields.push("subject", event.subject);
  fields.push("time", event.time, "data", JSON.stringify(event.data), "traceparent", event.traceparent);
  if (event.tracestate !== undefined) fields.push("tracestate", event.tracestate);
  return fields;
};

const attributesSchema = z.object({
  specversion: z.literal("1.0"),
  id: z.guid(),
  source: z.string().min(1).max(512),
  type: z.string().min(1).max(256),
  subject: z.string().max(256).optional(),
  time: z.string().max(64).optional(),
});

/** Printable ASCII (W3C Trace Context §3.3). Any other value is dropped, so that it does not make the event malformed. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** Fields of an entry by name. */
export type Fields = Readonly<Record<string, string>>;

/** The result of decoding an entry. `reason`: the faulty field, and what was expected. */
export type DecodedEvent =
  | { readonly kind: "event"; readonly event: StreamEvent }
  | { readonly kind: "malformed"; readonly reason: string };

/** The problems, field by field, in one line. */
export const problemsOf = (error: z.ZodError, whole: string): string =>
  error.issues.map((issue) => `${issue.path.join(".") || whole}: ${issue.message}`).join("; ");

const parsedJson = (text: string | undefined): unknown => {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Decodes the envelope of an entry. Never throws, whatever the entry contains. `data` that is not JSON is undefined, which no
 * schema accepts. An entry without a valid `traceparent` gets the `fallback`.
 */
export const decodeEvent = (fields: Fields, fallback: TraceContext): DecodedEvent => {
  const attributes = attributesSchema.safeParse(fields);
  if (!attributes.success) return { kind: "malformed", reason: problemsOf(attributes.error, "entry") };
  const { id, source, type, subject, time } = attributes.data;
  const { traceparent, tracestate } = fields;
  return {
    kind: "event",
    event: {
      id: id.toLowerCase(),
      source,
      type,
      subject,
      time: time ?? "",
      data: parsedJson(fields["data"]),
      traceparent: isTraceparent(traceparent) ? traceparent : fallback.traceparent,
      ...(tracestate !== undefined && TRACESTATE.test(tracestate) ? { tracestate } : {}),
    },
  };
};
