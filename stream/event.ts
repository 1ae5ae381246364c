import { z } from "zod";
import type { TraceContext } from "../observability/trace-context.ts";
import { isTraceparent } from "../observability/trace-context.ts";

/** The type of the first event. A new version gets a new type, published only when its readers are out. */
export const USER_SIGNED_UP = "user.signed_up.v1";

/** Where events of this service come from (CloudEvents `source`, a URI reference). */
const SOURCE = "/signup-stream/api";

/**
 * A CloudEvents 1.0 event in binary mode: attributes are fields of the entry, `data` is JSON. It carries ids only; what is
 * personal stays in Postgres.
 */
export interface StreamEvent extends TraceContext {
  /** Event id: a UUID of 36 characters, made with the user row. Idempotency key of everything that follows. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** User id. */
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly data: UserSignedUp;
}

export interface UserSignedUp {
  readonly user_id: string;
  readonly locale: Locale;
}

export const LOCALES = ["vi", "en"] as const;
export type Locale = (typeof LOCALES)[number];

const eventSchema = z.object({
  specversion: z.literal("1.0"),
  id: z.guid(),
  source: z.string().min(1).max(512),
  type: z.string().min(1).max(256),
  subject: z.string().max(256).optional(),
  time: z.string().max(64).optional(),
});

const dataSchema = z.object({
  user_id: z.guid(),
  locale: z.enum(LOCALES).default("vi"),
});

export const userSignedUp = (args: {
  eventId: string;
  userId: string;
  locale: Locale;
  time: Date;
  trace: TraceContext;
}): StreamEvent => ({
  id: args.eventId,
  source: SOURCE,
  type: USER_SIGNED_UP,
  subject: args.userId,
  time: args.time.toISOString(),
  data: { user_id: args.userId, locale: args.locale },
  ...args.trace,
});

/** Fields and values as XADD takes them. */
export const encodeEvent = (event: StreamEvent): string[] => {
  const fields = [
    ...["specversion", "1.0"],
    ...["id", event.id],
    ...["source", event.source],
    ...["type", event.type],
    ...["subject", event.subject],
    ...["time", event.time],
    ...["data", JSON.stringify(event.data)],
    ...["traceparent", event.traceparent],
  ];
  if (event.tracestate !== undefined) fields.push("tracestate", event.tracestate);
  return fields;
};

/** Printable ASCII (W3C Trace Context §3.3); what is not is left out: it must not keep a mail from its way. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** Fields of an entry by name, as they were read. */
export type Fields = Readonly<Record<string, string>>;

/** What became of reading an entry. `reason` says which field was wrong and what was expected. */
export type DecodedEvent =
  | { readonly kind: "event"; readonly event: StreamEvent }
  | { readonly kind: "malformed"; readonly reason: string };

const problems = (error: z.ZodError): string =>
  error.issues.map((issue) => `${issue.path.join(".") || "entry"}: ${issue.message}`).join("; ");

const parsedJson = (text: string | undefined): unknown => {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Reads an entry. Never throws: whatever stands in a stream, someone may have written it by hand. An entry without a
 * usable `traceparent` gets the context that the caller gives.
 */
export const decodeEvent = (fields: Fields, fallback: TraceContext): DecodedEvent => {
  const attributes = eventSchema.safeParse(fields);
  if (!attributes.success) return { kind: "malformed", reason: problems(attributes.error) };
  const data = dataSchema.safeParse(parsedJson(fields["data"]));
  if (!data.success) return { kind: "malformed", reason: `data: ${problems(data.error)}` };
  const { id, source, type, subject, time } = attributes.data;
  const { traceparent, tracestate } = fields;
  return {
    kind: "event",
    event: {
      id: id.toLowerCase(),
      source,
      type,
      subject: subject ?? data.data.user_id,
      time: time ?? "",
      data: { user_id: data.data.user_id.toLowerCase(), locale: data.data.locale },
      traceparent: isTraceparent(traceparent) ? traceparent : fallback.traceparent,
      ...(tracestate !== undefined && TRACESTATE.test(tracestate) ? { tracestate } : {}),
    },
  };
};
