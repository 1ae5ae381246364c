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

/** A member of a `tracestate`: `key=value` (W3C Trace Context, 3.3.1.3). */
const MEMBER =
  /^((?:[a-z][a-z0-9_*/-]{0,255})|(?:[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}))=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MAX_MEMBERS = 32;

/**
 * A `tracestate` as this service passes it on: empty members and white space left out, and of members with one key the
 * first, which is the latest. Undefined if it is too large, or if any member is malformed: then the whole list is void.
 */
const usableTracestate = (value: string | undefined): string | undefined => {
  if (value === undefined || value.length > MAX_TRACESTATE) return undefined;
  const members = new Map<string, string>();
  let count = 0;
  for (const part of value.split(",")) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, "");
    if (member === "") continue;
    const key = MEMBER.exec(member)?.[1];
    count += 1;
    if (key === undefined || count > MAX_MEMBERS) return undefined;
    if (!members.has(key)) members.set(key, member);
  }
  return members.size === 0 ? undefined : [...members.values()].join(",");
};

/**
 * The caller's context, if its headers are well-formed and of sane size. What comes in a later version goes on as version 00,
 * the only one that this service speaks; of its flags only `sampled` is known.
 */
export const traceContextFromHeaders = (
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined => {
  if (!isTraceparent(traceparent)) return undefined;
  const flags = (Number.parseInt(traceparent.slice(53, 55), 16) & 1).toString().padStart(2, "0");
  const parent = `00${traceparent.slice(2, 53)}${flags}`;
  const state = usableTracestate(tracestate);
  return state === undefined ? { traceparent: parent } : { traceparent: parent, tracestate: state };
};

/** A context of our own, not sampled (flag 00), for callers that sent none. `hex(n)` gives n random bytes in hex. */
export const randomTraceContext = (hex: (bytes: number) => string): TraceContext => {
  const digits = hex(24);
  return { traceparent: `00-${digits.slice(0, 32)}-${digits.slice(32)}-00` };
};

/** Random bytes as lower-case hex. */
export const randomHex = (bytes: number): string => crypto.getRandomValues(new Uint8Array(bytes)).toHex();

/** Bytes that are asked of the system at a time. */
const POOL_BYTES = 4_096;

/** `randomHex` for many small numbers of bytes: a call of the system for each would cost as much as what it is for. */
export const createRandomHex = (): ((bytes: number) => string) => {
  let pool = "";
  let used = 0;
  return (bytes) => {
    const digits = bytes * 2;
    if (used + digits > pool.length) {
      pool = randomHex(Math.max(POOL_BYTES, bytes));
      used = 0;
    }
    used += digits;
    return pool.slice(used - digits, used);
  };
};
