import type { Context } from "hono";
import { type TraceContext, traceContextFromHeaders } from "../observability/trace-context.ts";
import { activeTraceContext } from "../observability/tracing.ts";

/** The request's own span, else the caller's, else a new one: whatever a request makes has a trace. */
export const traceOf = (c: Context, newTraceContext: () => TraceContext): TraceContext =>
  activeTraceContext() ??
  traceContextFromHeaders(c.req.header("traceparent"), c.req.header("tracestate")) ??
  newTraceContext();
