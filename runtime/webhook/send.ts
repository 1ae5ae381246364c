import { SpanKind } from "@opentelemetry/api";
import { instruments } from "../../observability/metrics.ts";
import type { TraceContext } from "../../observability/trace-context.ts";
import { activeTraceContext, errorType, markFailed, withSpan } from "../../observability/tracing.ts";
import { VERSION } from "../../observability/version.ts";
import { type Answer, postTo } from "./request.ts";
import { type Resolve, resolveTarget } from "./resolve.ts";
import { retryAfterMs } from "./retry-after.ts";
import { signatureHeaders } from "./sign.ts";

/** Where webhooks are sent, and how. */
export interface WebhookTarget {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly allowPrivate: boolean;
  /** In total, from the look-up of the address to the end of the answer. */
  readonly timeoutMs: number;
  readonly resolve: Resolve;
  /** Certificate authorities in place of the system's. */
  readonly ca?: string;
}

/** One webhook. */
export interface OutgoingWebhook {
  /** The event's id: the same in each attempt. */
  readonly id: string;
  readonly contentType: string;
  readonly body: string;
  /** For the request's `traceparent` if no span is recorded. */
  readonly trace: TraceContext;
}

/** What became of a request. */
export type WebhookResult =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number }
  /** No answer. `reason`: a word. */
  | { readonly kind: "failed"; readonly reason: FailureReason }
  /** Nothing was sent: `signal` was aborted first, or `commit` refused. */
  | { readonly kind: "stopped" };

export type FailureReason =
  | "address_refused"
  | "host_not_found"
  | "connection_refused"
  | "connection_lost"
  | "tls_failed"
  | "timeout"
  | "malformed_answer";

/** Nothing was sent to an address that cannot be reached: the next one may be tried. */
const UNREACHABLE = new Set(["ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"]);

const failureOf = (error: unknown): FailureReason => {
  const code = errorType(error);
  if (code === "ABORT_ERR" || code === "AbortError" || code === "TimeoutError" || code === "ETIMEDOUT")
    return "timeout";
  if (UNREACHABLE.has(code)) return "connection_refused";
  if (code.startsWith("HPE_")) return "malformed_answer";
  if (/CERT|TLS|SSL|UNABLE_TO|SELF_SIGNED|EPROTO/.test(code)) return "tls_failed";
  return "connection_lost";
};

/** The first answer of the addresses, in turn. @throws the last one's error */
const firstAnswer = async (
  addresses: readonly string[],
  post: (address: string) => Promise<Answer>,
): Promise<Answer> => {
  const [address = "", ...others] = addresses;
  try {
    return await post(address);
  } catch (error) {
    if (others.length === 0 || !UNREACHABLE.has(errorType(error))) throw error;
    return firstAnswer(others, post);
  }
};

/** Resolves with the work, or rejects when the signal is aborted: a look-up cannot be cancelled. */
const orAborted = async <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
};

interface Sending {
  /** Aborted: end, unless the request is under way. */
  readonly signal: AbortSignal;
  /** Called once, immediately before the request is made. False: it must not be. */
  readonly commit: () => boolean;
}

const post = async (
  target: WebhookTarget,
  { id, contentType, body, trace }: OutgoingWebhook,
  { signal, commit }: Sending,
): Promise<WebhookResult> => {
  const url = new URL(target.url);
  const deadline = AbortSignal.timeout(target.timeoutMs);
  try {
    const resolved = await orAborted(resolveTarget(url, target), AbortSignal.any([deadline, signal]));
    if (resolved.kind === "failed") return resolved;
    if (!commit()) return { kind: "stopped" };
    const { traceparent, tracestate } = activeTraceContext() ?? trace;
    const headers = {
      "content-type": contentType,
      "user-agent": `signup-stream/${VERSION}`,
      traceparent,
      ...(tracestate === undefined ? {} : { tracestate }),
      ...signatureHeaders(target.secrets, { id, at: new Date(), body }),
    };
    const request = { url, headers, body, ...(target.ca === undefined ? {} : { ca: target.ca }) };
    const { status, retryAfter } = await firstAnswer(resolved.addresses, (address) =>
      postTo({ ...request, address }, deadline),
    );
    const delayMs = retryAfterMs(retryAfter, Date.now());
    return { kind: "answered", status, ...(delayMs === undefined ? {} : { retryAfterMs: delayMs }) };
  } catch (error) {
    return signal.aborted && !deadline.aborted ? { kind: "stopped" } : { kind: "failed", reason: failureOf(error) };
  }
};

/** The port of a URL, its scheme's own if it names none. */
const portOf = ({ port, protocol }: URL): number => (port === "" ? (protocol === "https:" ? 443 : 80) : Number(port));

/** `error.type` of a request, if it failed: of an answer its status. */
const failureTypeOf = (result: Exclude<WebhookResult, { kind: "stopped" }>): string | undefined => {
  if (result.kind === "failed") return result.reason;
  return result.status >= 400 ? String(result.status) : undefined;
};

/**
 * Sends one webhook: signed, to an address that was checked, within the target's time limit. Never throws for what a
 * receiver does. In a client span and `http.client.request.duration` (HTTP conventions v1.45.0, stable), without path and
 * query: they may be secret.
 */
export const sendWebhook = (
  target: WebhookTarget,
  webhook: OutgoingWebhook,
  sending: Sending,
): Promise<WebhookResult> => {
  const url = new URL(target.url);
  const attributes = {
    "http.request.method": "POST",
    "server.address": url.hostname,
    "server.port": portOf(url),
  };
  return withSpan(
    "POST",
    () => ({ kind: SpanKind.CLIENT, attributes: { ...attributes, "url.full": `${url.origin}/REDACTED` } }),
    async (span) => {
      const startedAt = performance.now();
      const result = await post(target, webhook, sending);
      if (result.kind === "stopped") return result;
      const status = result.kind === "answered" ? { "http.response.status_code": result.status } : {};
      const failure = failureTypeOf(result);
      span.setAttributes(status);
      if (failure !== undefined) markFailed(span, failure);
      const error = failure === undefined ? {} : { "error.type": failure };
      const seconds = (performance.now() - startedAt) / 1_000;
      instruments().httpClientRequestDuration.record(seconds, { ...attributes, ...status, ...error });
      return result;
    },
  );
};
