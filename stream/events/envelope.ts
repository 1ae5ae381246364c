import { z } from "zod";
import type { LoggedEvent } from "../../database/events.ts";
import { isTraceparent, type TraceContext } from "../../observability/trace-context.ts";

/** Where events of this service come from (CloudEvents `source`, a URI reference). */
const SOURCE = "/signup-stream/api";

/**
 * A CloudEvents 1.0 event in binary mode: attributes are fields of the entry, `data` is JSON. It carries ids only; what is
 * personal stays in Postgres. What is in `data` is for the schema of its type to say.
 */
export interface StreamEvent extends TraceContext {
  /** Event id: a UUID of 36 characters, made with what it tells of. Idempotency key of everything that follows. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** What it is about; undefined if whoever wrote the entry left it out. */
  readonly subject: string | undefined;
  /** RFC 3339. */
  readonly time: string;
  readonly data: unknown;
}

/** The event of a row of the log: the same id, the same trace context, whenever it is made. */
export const loggedEvent = (row: LoggedEvent): StreamEvent => ({
  id: row.event_id,
  source: SOURCE,
  type: row.type,
  subject: row.subject,
  time: row.created_at.toISOString(),
  data: row.data,
  traceparent: row.traceparent,
  ...(row.tracestate === null ? {} : { tracestate: row.tracestate }),
});

/** Fields and values as XADD takes them. */
export const encodeEvent = (event: StreamEvent): string[] => {
  const fields = [
    ...["specversion", "1.0"],
    ...["id", event.id],
    ...["source", event.source],
    ...["type", event.type],
    ...(event.subject === undefined ? [] : ["subject", event.subject]),
    ...["time", event.time],
    ...["data", JSON.stringify(event.data)],
    ...["traceparent", event.traceparent],
  ];
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

/** Printable ASCII (W3C Trace Context §3.3); what is not is left out: it must not keep an event from its way. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** Fields of an entry by name, as they were read. */
export type Fields = Readonly<Record<string, string>>;

/** What became of reading an entry. `reason` says which field was wrong and what was expected. */
export type DecodedEvent =
  | { readonly kind: "event"; readonly event: StreamEvent }
  | { readonly kind: "malformed"; readonly reason: string };

/** What is wrong, field by field, in one line. */
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
 * Reads the envelope of an entry. Never throws: whatever stands in a stream, someone may have written it by hand. `data`
 * that is no JSON is undefined, which no schema accepts. An entry without a usable `traceparent` gets the context that the
 * caller gives.
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
