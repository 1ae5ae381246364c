import {
  type Context,
  context,
  createTraceState,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { MAX_TRACESTATE, type TraceContext } from "./trace-context.ts";

const TRACER = "signup-stream";

/** The tracer that is set up; undefined without one, as without telemetry. */
export const tracer = (): Tracer | undefined => {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegateTracer(TRACER) : provider.getTracer(TRACER);
};

const NOT_RECORDING: Span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** W3C trace context -> the context of a span elsewhere. */
export const spanContextOf = ({ traceparent, tracestate }: TraceContext): SpanContext => {
  const [, traceId = "", spanId = "", flags = "00"] = traceparent.split("-");
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 0xff,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  };
};

/** A context in which spans become children of that trace context. */
export const contextOf = (carried: TraceContext): Context => trace.setSpanContext(ROOT_CONTEXT, spanContextOf(carried));

/** The context of a span as it travels: version 00 of W3C trace context, the sampling flag kept. */
export const traceContextOf = ({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext => {
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  const tracestate = traceState?.serialize() ?? "";
  const isUsable = tracestate !== "" && tracestate.length <= MAX_TRACESTATE;
  return isUsable ? { traceparent, tracestate } : { traceparent };
};

/** The trace context of the span that the caller is in; undefined when there is none, as without telemetry. */
export const activeTraceContext = (): TraceContext | undefined => {
  const active = trace.getActiveSpan()?.spanContext();
  return active !== undefined && isSpanContextValid(active) ? traceContextOf(active) : undefined;
};

/** A word for what went wrong, few of them: SQLSTATE, a system's or our own code, or the error's class. Never its text. */
export const errorType = (error: unknown): string => {
  if (!(error instanceof Error)) return "_OTHER";
  return "code" in error && typeof error.code === "string" && error.code !== "" ? error.code : error.name;
};

/** Marks a span as failed. The message of an error is left out: it may quote what a person wrote. */
export const markFailed = (span: Span, type: string): void => {
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR });
};

/**
 * Runs work inside a span of its own; ends it whatever comes, and marks it when the work throws. Without a tracer it is not
 * described at all: the path of a signup should not pay for spans that nobody asked for.
 */
export const withSpan = <Result>(
  name: string,
  describe: () => SpanOptions & { readonly within?: Context },
  work: (span: Span) => Promise<Result>,
): Promise<Result> => {
  const current = tracer();
  if (current === undefined) return work(NOT_RECORDING);
  const { within = context.active(), ...spanOptions } = describe();
  return current.startActiveSpan(name, spanOptions, within, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      markFailed(span, errorType(error));
      throw error;
    } finally {
      span.end();
    }
  });
};

/** Runs work that is shared by many outside of any one's trace. */
export const outsideOfTraces = <Result>(work: () => Result): Result => context.with(ROOT_CONTEXT, work);
