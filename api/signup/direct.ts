import { type TraceContext, traceContextFromHeaders } from "../../observability/trace-context.ts";
import { activeTraceContext } from "../../observability/tracing.ts";
import type { Turn } from "../../runtime/slots.ts";
import type { Pacing } from "../admission/pace.ts";
import { isHost } from "../host.ts";
import { jsonOfBody, MAX_BODY_BYTES, readSmallBody } from "../read-body.ts";
import type { SecureHeaders } from "../secure-headers.ts";
import { type Accepted, type AcceptSignup, EACH_HAS, locationOf } from "./accept.ts";

/** Why a signup was not made. */
export interface Failure {
  readonly error: unknown;
}

/** Observes what answers a request. */
type Observer = (request: Request, work: () => Promise<Response | undefined>) => Promise<Response | undefined>;

export interface DirectSignupDeps {
  readonly acceptSignup: AcceptSignup;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  readonly newTraceContext: () => TraceContext;
  readonly pacing: Pick<Pacing, "take">;
  /** What every answer has. */
  readonly headers: SecureHeaders;
  /** Paths of the signup. */
  readonly paths: ReadonlySet<string>;
  /** With telemetry on: observes what is made here, by path; what answers nothing is left to the app. */
  readonly observe?: (path: string) => Observer;
  /** Answers every request. */
  readonly app: (request: Request) => Response | Promise<Response>;
}

export interface DirectSignup {
  /** Answers a request, whatever it is. */
  fetch(request: Request): Response | Promise<Response>;
  failureOf(request: Request): Failure | undefined;
}

/** The path and query of an absolute URL. */
const pathOf = (url: string): string => url.slice(url.indexOf("/", url.indexOf("//") + 2));

const isDeclaredSmall = (length: string | null): boolean => length !== null && Number(length) <= MAX_BODY_BYTES;

/**
 * Makes signups without the framework, whose layers cost as much as the signup itself. Only for what nearly all are: a JSON body of a
 * declared length, no Idempotency-Key, and a client that need not wait for its turn. Whatever else is asked, and whatever fails, is
 * answered by the app: so there is one place that knows how.
 */
export const createDirectSignup = (deps: DirectSignupDeps): DirectSignup => {
  const { acceptSignup, clientOf, newTraceContext, pacing, paths, observe, app } = deps;
  const observers = new Map(observe === undefined ? [] : [...paths].map((path) => [path, observe(path)]));
  const common = new Headers([...deps.headers, ["Content-Type", "application/json"], ...Object.entries(EACH_HAS)]);
  const failures = new WeakMap<Request, Failure>();

  const isPlain = (request: Request): boolean => {
    if (request.method !== "POST" || !paths.has(pathOf(request.url))) return false;
    const { headers } = request;
    return (
      headers.get("content-type") === "application/json" &&
      isDeclaredSmall(headers.get("content-length")) &&
      isHost(headers.get("host") ?? "") &&
      !headers.has("idempotency-key") &&
      !headers.has("content-encoding") &&
      !headers.has("transfer-encoding")
    );
  };

  const traceOf = ({ headers }: Request): TraceContext => {
    const own = observe && activeTraceContext();
    if (own !== undefined) return own;
    const traceparent = headers.get("traceparent");
    if (traceparent === null) return newTraceContext();
    return traceContextFromHeaders(traceparent, headers.get("tracestate") ?? undefined) ?? newTraceContext();
  };

  const created = { status: 201, headers: common };
  /** Those that `common` has of the last answer. */
  let ofLast: Accepted["more"] = {};
  /** A response copies its headers: so they are set before, on one object for all, and no object is made for those of each. */
  const toResponse = (accepted: Accepted): Response => {
    const { answer, more } = accepted;
    if (more !== ofLast) {
      for (const name in ofLast) common.delete(name);
      for (const name in more) common.set(name, more[name] ?? "");
      ofLast = more;
    }
    common.set("Location", locationOf(accepted));
    return new Response(JSON.stringify(answer), created);
  };

  /** `instead`: answers what failed, without a turn, for there it takes one: a refusal is held back. */
  const make = async <Instead extends Response | undefined>(
    request: Request,
    client: string,
    turn: Turn,
    instead: (request: Request) => Instead | Promise<Instead>,
  ): Promise<Response | Instead> => {
    try {
      const body = jsonOfBody(await readSmallBody(request, turn));
      return toResponse(await acceptSignup({ request, client, body, trace: traceOf(request) }));
    } catch (error) {
      failures.set(request, { error });
    } finally {
      turn.end();
    }
    return instead(request);
  };

  const makeObserved = async (request: Request, client: string, turn: Turn, around: Observer): Promise<Response> =>
    (await around(request, () => make(request, client, turn, () => undefined))) ?? app(request);

  return {
    failureOf: (request) => failures.get(request),
    fetch(request) {
      if (!isPlain(request)) return app(request);
      const client = clientOf(request);
      const turn = pacing.take(client);
      if (turn === undefined) return app(request);
      const around = observers.size === 0 ? undefined : observers.get(pathOf(request.url));
      return around === undefined ? make(request, client, turn, app) : makeObserved(request, client, turn, around);
    },
  };
};
