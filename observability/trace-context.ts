/**
 * The W3C trace context of one event (https://www.w3.org/TR/trace-context/, version 00), as it travels in the outbox, in
 * the ledger and in every stream entry. Always there, also when no telemetry is set up.
 */
export interface TraceContext {
  /** `00-<32 hex>-<16 hex>-<2 hex>` */
  readonly traceparent: string;
  /** Vendors' list, at most 512 characters; left out when the caller sent none. */
  readonly tracestate?: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** Longest `tracestate` that is honoured, in characters: what every vendor must pass on. */
export const MAX_TRACESTATE = 512;

/** Whether a header is a `traceparent` that this service honours. Oversized ones are refused unread. */
export const isTraceparent = (value: string | undefined): value is string =>
  value !== undefined &&
  value.length <= 256 &&
  TRACEPARENT.test(value) &&
  (value.length === 55 || !value.startsWith("00"));

/** The caller's context, if its headers are well-formed and of sane size. */
export const traceContextFromHeaders = (
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined => {
  if (!isTraceparent(traceparent)) return undefined;
  const parent = traceparent.slice(0, 55);
  const usable = tracestate !== undefined && tracestate.length > 0 && tracestate.length <= MAX_TRACESTATE;
  return usable ? { traceparent: parent, tracestate } : { traceparent: parent };
};

/** A context of our own, not sampled (flag 00), for callers that sent none. `hex(n)` gives n random bytes in hex. */
export const randomTraceContext = (hex: (bytes: number) => string): TraceContext => ({
  traceparent: `00-${hex(16)}-${hex(8)}-00`,
});

/** Random bytes as lower-case hex. */
export const randomHex = (bytes: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
