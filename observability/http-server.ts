import { type Attributes, type Span, SpanKind } from "@opentelemetry/api";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { instruments } from "./metrics.ts";
import { withoutAddresses } from "./redact.ts";
import { traceContextFromHeaders } from "./trace-context.ts";
import {
  contextOf,
  type Entered,
  type Entrance,
  enter,
  inside,
  markFailed,
  tracer,
  withEntrance,
  withinSpan,
} from "./tracing.ts";

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

/** What is known of a request before its answer. */
const before = (method: string, url: string) => ({
  "http.request.method": method,
  "url.scheme": url.startsWith("https:") ? "https" : "http",
});

const after = (known: Attributes, status: number, route: string | undefined): Attributes => ({
  ...known,
  "http.response.status_code": status,
  ...(route === undefined ? {} : { "http.route": route }),
  ...(status >= 500 ? { "error.type": String(status) } : {}),
});

const recordDuration = (startedAt: number, attributes: Attributes): void =>
  instruments().httpServerRequestDuration.record((performance.now() - startedAt) / 1_000, attributes);

const entranceOf = ({ headers }: Request): Entrance => {
  const traceparent = headers.get("traceparent");
  const caller =
    traceparent === null ? undefined : traceContextFromHeaders(traceparent, headers.get("tracestate") ?? undefined);
  return { kind: SpanKind.SERVER, ...(caller === undefined ? {} : { within: contextOf(caller) }) };
};

/** A request whose span began before the app had it. */
interface Begun extends Partial<Entered> {
  readonly startedAt: number;
}

const begunBefore = new WeakMap<Request, Begun>();

/** Attributes of the answers to a route that is not the framework's, by status: made once. */
const answersOf = (method: string, route: string) => {
  const made = new Map<string, Attributes>();
  return (url: string, status: number): Attributes => {
    const known = before(method, url);
    const key = `${known["url.scheme"]} ${status}`;
    const attributes = made.get(key) ?? after(known, status, route);
    made.set(key, attributes);
    return attributes;
  };
};

/**
 * Observes requests of one route as `observeRequests` does, where something else than the app may answer them. If it does not, the span
 * stays open, and is the app's.
 */
export const observeRoute = (method: string, route: string) => {
  const answers = answersOf(method, route);
  const name = `${method} ${route}`;
  return async <Answer extends Response | undefined>(
    request: Request,
    work: () => Promise<Answer>,
  ): Promise<Answer> => {
    const startedAt = performance.now();
    const current = tracer();
    const describe = () => ({ attributes: { ...before(method, request.url), "url.path": route } });
    const entered = current && enter(current, name, entranceOf(request), describe);
    const answer = await (entered?.span.isRecording() === true ? withinSpan(entered, work) : work());
    if (answer === undefined) {
      begunBefore.set(request, { startedAt, ...entered });
      return answer;
    }
    const attributes = answers(request.url, answer.status);
    if (entered?.span.isRecording() === true) entered.span.setAttributes(attributes);
    entered?.span.end();
    recordDuration(startedAt, attributes);
    return answer;
  };
};

/**
 * The server span and `http.server.request.duration` of each request (HTTP conventions v1.45.0, stable). The caller's
 * `traceparent` is its parent; a malformed or oversized one is ignored, and baggage is not read at all. Neither the
 * query, nor the client's address or user agent is recorded.
 */
export const observeRequests = (): MiddlewareHandler => async (c, next) => {
  const request = c.req.raw;
  const method = methodOf(request.method);
  const known = before(method, request.url);
  const { startedAt, ...begun }: Begun = begunBefore.get(request) ?? { startedAt: performance.now() };
  const outcome = (): Attributes => after(known, c.res.status, routeOf(routePath(c, -1)));

  if (PROBES.has(c.req.path)) {
    await next();
    return recordDuration(startedAt, outcome());
  }
  const describe = () => ({ attributes: { ...known, "url.path": harmlessPath(c.req.path) } });
  const work = async (span: Span) => {
    await next();
    if (!span.isRecording()) return;
    const attributes = outcome();
    span.setAttributes(attributes);
    const { "http.route": route } = attributes;
    if (route !== undefined) span.updateName(`${method} ${String(route)}`);
    if (c.res.status >= 500) markFailed(span, String(c.res.status));
  };
  const { span, within } = begun;
  await (span === undefined || within === undefined
    ? withEntrance(method, () => entranceOf(request), describe, work)
    : inside({ span, within }, work));
  recordDuration(startedAt, outcome());
};
