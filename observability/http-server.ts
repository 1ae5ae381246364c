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
const routeOf = (route: string): string | undefined =>
  route === "" || route === "*" || route.endsWith("/*") ? undefined : route;

/**
 * The server span and `http.server.request.duration` of each request (HTTP conventions v1.45.0, stable). The caller's
 * `traceparent` is its parent; a malformed or oversized one is ignored, and baggage is not read at all. Neither the
 * query, nor the client's address or user agent is recorded.
 */
export const observeRequests = (): MiddlewareHandler => async (c, next) => {
  const method = methodOf(c.req.method);
  const scheme = c.req.url.startsWith("https:") ? "https" : "http";
  const always = { "http.request.method": method, "url.scheme": scheme };
  const startedAt = performance.now();

  const outcome = (): Attributes => {
    const { status } = c.res;
    const attributes: Attributes = { ...always, "http.response.status_code": status };
    const route = routeOf(routePath(c, -1));
    if (route !== undefined) attributes["http.route"] = route;
    if (status >= 500) attributes["error.type"] = String(status);
    return attributes;
  };
  const measure = () => {
    instruments().httpServerRequestDuration.record((performance.now() - startedAt) / 1_000, outcome());
  };

  if (PROBES.has(c.req.path)) {
    await next();
    return measure();
  }
  const describe = () => {
    const caller = traceContextFromHeaders(c.req.header("traceparent"), c.req.header("tracestate"));
    return {
      kind: SpanKind.SERVER,
      ...(caller === undefined ? {} : { within: contextOf(caller) }),
      attributes: { ...always, "url.path": harmlessPath(c.req.path) },
    };
  };
  await withSpan(method, describe, async (span) => {
    await next();
    if (!span.isRecording()) return;
    const attributes = outcome();
    span.setAttributes(attributes);
    const { "http.route": route } = attributes;
    if (route !== undefined) span.updateName(`${method} ${String(route)}`);
    if (c.res.status >= 500) markFailed(span, String(c.res.status));
  });
  measure();
};
