import { type Attributes, SpanKind } from "@opentelemetry/api";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { instruments } from "./metrics.ts";
import { withoutAddresses } from "./redact.ts";
import { traceContextFromHeaders } from "./trace-context.ts";
import { contextOf, markFailed, withSpan } from "./tracing.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"]);
/** Called every few seconds by machines: measured, not traced. */
const PROBES = new Set(["/livez", "/readyz"]);

const methodOf = (method: string): string => (METHODS.has(method) ? method : "_OTHER");

/** A path may hold whatever a caller wrote, also an address, also percent-encoded. */
const harmlessPath = (path: string): string => {
  try {
    return withoutAddresses(decodeURIComponent(path));
  } catch {
    return withoutAddresses(path);
  }
};

/** The route's own pattern; undefined when only a catch-all matched. */
const routeAttribute = (route: string): Attributes =>
  route === "" || route === "*" || route.endsWith("/*") ? {} : { "http.route": route };

/**
 * The server span and `http.server.request.duration` of each request (HTTP conventions v1.45.0, stable). The caller's
 * `traceparent` is its parent; a malformed or oversized one is ignored, and baggage is not read at all. Neither the
 * query, nor the client's address or user agent is recorded.
 */
export const observeRequests = (): MiddlewareHandler => async (c, next) => {
  const method = methodOf(c.req.method);
  const always = { "http.request.method": method, "url.scheme": new URL(c.req.url).protocol.slice(0, -1) };
  const startedAt = performance.now();

  const outcome = (): Attributes => ({
    "http.response.status_code": c.res.status,
    ...routeAttribute(routePath(c, -1)),
    ...(c.res.status >= 500 ? { "error.type": String(c.res.status) } : {}),
  });
  const measure = () => {
    const seconds = (performance.now() - startedAt) / 1_000;
    instruments().httpServerRequestDuration.record(seconds, { ...always, ...outcome() });
  };

  if (PROBES.has(c.req.path)) {
    await next();
    return measure();
  }
  const caller = traceContextFromHeaders(c.req.header("traceparent"), c.req.header("tracestate"));
  const options = {
    kind: SpanKind.SERVER,
    ...(caller === undefined ? {} : { within: contextOf(caller) }),
    attributes: { ...always, "url.path": harmlessPath(c.req.path) },
  };
  await withSpan(method, options, async (span) => {
    await next();
    const attributes = outcome();
    span.setAttributes(attributes);
    const { "http.route": route } = attributes;
    if (route !== undefined) span.updateName(`${method} ${String(route)}`);
    if (c.res.status >= 500) markFailed(span, String(c.res.status));
  });
  measure();
};
