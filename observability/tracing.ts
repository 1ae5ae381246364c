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
  type SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { MAX_TRACESTATE, type TraceContext } from "./trace-context.ts";

const TRACER = "signup-stream";

let made: { readonly delegate: TracerProvider; readonly tracer: Tracer | undefined } | undefined;

/** The tracer that is set up; undefined without one, as without telemetry. The API makes its name anew each time that it is asked. */
export const tracer = (): Tracer | undefined => {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider)) return provider.getTracer(TRACER);
  const delegate = provider.getDelegate();
  if (made?.delegate !== delegate) made = { delegate, tracer: provider.getDelegateTracer(TRACER) };
  return made.tracer;
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

/** Whether the caller is in a trace that is sampled; of another one no context is kept. */
const isRecorded = (): boolean => {
  const active = trace.getActiveSpan()?.spanContext();
  return active !== undefined && (active.traceFlags & TraceFlags.SAMPLED) !== 0;
};

/** A span that is begun, and the context in which it began. */
export interface Entered {
  readonly span: Span;
  readonly within: Context;
}

/** Runs work with a span active. */
export const withinSpan = <Result>({ span, within }: Entered, work: (span: Span) => Result): Result =>
  context.with(trace.setSpan(within, span), work, undefined, span);

/** The same; ends the span whatever comes, and marks it when the work throws. */
export const inside = async <Result>(entered: Entered, work: (span: Span) => Promise<Result>): Promise<Result> => {
  const { span } = entered;
  try {
    return await withinSpan(entered, work);
  } catch (error) {
    markFailed(span, errorType(error));
    throw error;
  } finally {
    span.end();
  }
};

/**
 * Runs work inside a span of its own, a child of the active one. Without a tracer, and in a trace that is not sampled, it is not
 * described at all: the path of a signup should not pay for spans that nobody will see.
 */
export const withSpan = <Result>(
  name: string,
  describe: () => SpanOptions,
  work: (span: Span) => Promise<Result>,
): Promise<Result> => {
  const current = tracer();
  if (current === undefined || !isRecorded()) return work(NOT_RECORDING);
  const within = context.active();
  return inside({ span: current.startSpan(name, describe(), within), within }, work);
};

/** A span by which a trace enters this process, or begins. */
export interface Entrance {
  readonly kind: SpanKind;
  /** Whose child it is; left out, it begins a trace. */
  readonly within?: Context;
}

/** Begins the span of an entrance. The sampler decides first: only what is recorded is described. */
export const enter = (
  current: Tracer,
  name: string,
  { kind, within = ROOT_CONTEXT }: Entrance,
  describe: () => Pick<SpanOptions, "attributes" | "links">,
): Entered => {
  const span = current.startSpan(name, { kind }, within);
  if (span.isRecording()) {
    const { attributes = {}, links = [] } = describe();
    span.setAttributes(attributes).addLinks([...links]);
  }
  return { span, within };
};

/** `withSpan` for an entrance. */
export const withEntrance = <Result>(
  name: string,
  entrance: () => Entrance,
  describe: () => Pick<SpanOptions, "attributes" | "links">,
  work: (span: Span) => Promise<Result>,
): Promise<Result> => {
  const current = tracer();
  if (current === undefined) return work(NOT_RECORDING);
  const entered = enter(current, name, entrance(), describe);
  return entered.span.isRecording() ? inside(entered, work) : work(entered.span);
};

/** Runs work that is shared by many outside of any one's trace. */
export const outsideOfTraces = <Result>(work: () => Result): Result => context.with(ROOT_CONTEXT, work);
