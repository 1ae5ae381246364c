import { type Attributes, isSpanContextValid, type Span, SpanKind } from "@opentelemetry/api";
import { instruments, isTelemetryOn } from "./metrics.ts";
import type { TraceContext } from "./trace-context.ts";
import {
  contextOf,
  enter,
  errorType,
  markFailed,
  spanContextOf,
  traceContextOf,
  tracer,
  withEntrance,
  withSpan,
} from "./tracing.ts";

/*
 * Messaging spans and metrics by OpenTelemetry's semantic conventions v1.45.0 (docs/messaging, in development). Redis is
 * not among its well-known systems; a custom value is allowed.
 */

/** v1.45.0 renamed `messaging.system`; existing tools still group by the old name, so both are set. */
const SYSTEM: Attributes = { "messaging.system.name": "redis", "messaging.system": "redis" };

/** How the consumer's span refers to the producer's: as its child and by a link, or by the link alone. */
export type TraceHop = "parent" | "link";

/** An event of a pipeline, as spans describe it. */
export interface Message {
  /** The pipeline: STREAM_NAME. */
  readonly destination: string;
  /** The stream's key. */
  readonly stream: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly trace: TraceContext;
}

/** `{signup}:events` -> `signup` */
export const destinationOf = (stream: string): string => /^\{(.+?)\}/.exec(stream)?.[1] ?? stream;

const operation = (name: "send" | "process" | "settle", destination: string): Attributes => ({
  ...SYSTEM,
  "messaging.operation.name": name,
  "messaging.operation.type": name,
  "messaging.destination.name": destination,
});

const eventAttributes = ({ stream, eventId, eventType }: Message): Attributes => ({
  "signup.stream.key": stream,
  "cloudevents.event_id": eventId,
  "cloudevents.event_type": eventType,
  "messaging.message.conversation_id": eventId,
});

/** The sending of one entry, while it is under way. */
export interface Send {
  /** The context that goes into the entry. */
  readonly trace: TraceContext;
  succeeded(entryId: string): void;
  failed(error: unknown): void;
}

/**
 * Begins the `send` span of one entry, a child of the context that the event carries: the request that made it, whoever sends it.
 * Undefined without telemetry: then the entry carries the event's own context, unchanged.
 */
export const startSend = (message: Message): Send | undefined => {
  if (!isTelemetryOn()) return undefined;
  const attributes = operation("send", message.destination);
  const startedAt = performance.now();
  const entrance = { kind: SpanKind.PRODUCER, within: contextOf(message.trace) };
  const describe = () => ({ attributes: { ...attributes, ...eventAttributes(message) } });
  const current = tracer();
  const span = current && enter(current, `send ${message.destination}`, entrance, describe).span;
  const own = span?.spanContext();
  const end = (outcome: Attributes) => {
    const { sentMessages, messagingOperationDuration } = instruments();
    sentMessages.add(1, { ...attributes, ...outcome });
    messagingOperationDuration.record((performance.now() - startedAt) / 1_000, { ...attributes, ...outcome });
    span?.end();
  };
  return {
    trace: own !== undefined && isSpanContextValid(own) ? traceContextOf(own) : message.trace,
    succeeded(entryId) {
      span?.setAttribute("messaging.message.id", entryId);
      end({});
    },
    failed(error) {
      if (span !== undefined) markFailed(span, errorType(error));
      end({ "error.type": errorType(error) });
    },
  };
};

/** One delivery of an entry to a consumer. */
export interface Processing extends Message {
  readonly entryId: string;
  readonly group: string;
  readonly consumer: string;
  /** Further attributes that are known before the work begins. */
  readonly attributes: Attributes;
}

/** How an attempt ended: a word of a small set, and the kind of failure if it was one. */
export interface Result {
  readonly outcome: string;
  readonly errorType?: string;
}

/**
 * The `process` span of one attempt, and its duration. `conclude` records the result as soon as it is known; the span ends when
 * the entry is settled.
 */
export const tracedProcess = (
  message: Processing,
  hop: TraceHop,
  work: (conclude: (result: Result) => void, span: Span) => Promise<void>,
): Promise<void> => {
  const attributes = operation("process", message.destination);
  const group = { "messaging.consumer.group.name": message.group };
  const startedAt = performance.now();
  let outcome: Attributes = { "signup.outcome": "left" };
  const entrance = () => ({
    kind: SpanKind.CONSUMER,
    ...(hop === "parent" ? { within: contextOf(message.trace) } : {}),
  });
  const describe = () => ({
    links: [{ context: spanContextOf(message.trace) }],
    attributes: {
      ...attributes,
      ...group,
      ...eventAttributes(message),
      "messaging.message.id": message.entryId,
      "messaging.client.id": message.consumer,
      ...message.attributes,
    },
  });
  return withEntrance(`process ${message.destination}`, entrance, describe, (span) =>
    work((result) => {
      outcome = {
        "signup.outcome": result.outcome,
        ...(result.errorType === undefined ? {} : { "error.type": result.errorType }),
      };
      span.setAttributes(outcome);
      if (result.errorType !== undefined) markFailed(span, result.errorType);
    }, span),
  ).finally(() => {
    const seconds = (performance.now() - startedAt) / 1_000;
    instruments().processDuration.record(seconds, { ...attributes, ...group, ...outcome });
  });
};

/** The `settle` span: recording an outcome and moving the entry on. */
export const tracedSettle = <Settled>(
  destination: string,
  group: string,
  entryId: string,
  work: () => Promise<Settled>,
): Promise<Settled> =>
  withSpan(
    `settle ${destination}`,
    () => ({
      kind: SpanKind.CLIENT,
      attributes: {
        ...operation("settle", destination),
        "messaging.consumer.group.name": group,
        "messaging.message.id": entryId,
      },
    }),
    work,
  );

/** Counts entries that were delivered to a consumer of a group. */
export const countConsumed = (destination: string, group: string, count: number): void => {
  instruments().consumedMessages.add(count, {
    ...SYSTEM,
    "messaging.operation.name": "receive",
    "messaging.destination.name": destination,
    "messaging.consumer.group.name": group,
  });
};
