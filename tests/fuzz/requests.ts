import fc from "fast-check";
import { formBody, jsonBody } from "./bodies.ts";
import { hostileText } from "./texts.ts";

/** A request that an HTTP client can send: its framing is right, and nothing else need be. */
export interface FuzzRequest {
  readonly kind: "request";
  readonly method: string;
  /** Path and query, percent-encoded or not. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

const ROUTES = [
  "/",
  "/resend",
  "/confirm",
  "/docs",
  "/docs/start.js",
  "/style.css",
  "/openapi.json",
  "/livez",
  "/readyz",
  "/api/v1/user/",
  "/api/v1/user",
  "/api/v1/user/resend",
  "/api/v1/payments",
] as const;
const ROUTES_WITH_AN_ID = [
  "/signups/",
  "/problems/",
  "/api/v1/user/",
  "/api/v1/events/",
  "/api/v1/backlog/",
  "/api/v1/payments/",
  "/",
] as const;

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
/** `%zz`, an overlong slash, half of a UTF-8 sequence, an escaped escape. */
const badEscape = fc.constantFrom(
  "%",
  "%z",
  "%zz",
  "%c0%af",
  "%e2%82",
  "%25%32%66",
  "%00",
  "%2e%2e%2f",
  "%u0041",
  "+",
  ";x=1",
);
const id = fc.oneof(
  fc.uuid(),
  hostileText.map(encoded),
  badEscape,
  fc.constantFrom("..", ".", "%2e", "//", "a/../b", "stream"),
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("lang", "token", "updates", "q", "__proto__"), hostileText)
      .map(([name, value]) => `?${name}=${encoded(value)}`),
  },
  { weight: 1, arbitrary: badEscape.map((text) => `?lang=${text}&lang=en&token=${text}`) },
);
const path = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<string>(...ROUTES) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom<string>(...ROUTES_WITH_AN_ID), id).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.uuid().map((each) => `/api/v1/events/${each}/stream`) },
  { weight: 1, arbitrary: fc.array(id, { maxLength: 8 }).map((parts) => `/${parts.join("/")}`) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 12_000 }).map((size) => `/${"a/".repeat(size / 2)}`) },
);

const anyOf = (...values: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: hostileText });
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/** Every header that is read anywhere, and some that must not be. */
const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Accept: anyOf("*/*", "text/html", "application/json", "text/html;q=0", ",".repeat(2_000), "a/b;q=9"),
  "Accept-Language": anyOf("vi", "en;q=0.9, vi;q=0.1", "*", "en-".repeat(300), "q=;;,"),
  Authorization: anyOf(
    "Bearer a-token-for-tests-alone",
    "Bearer x",
    "Bearer",
    "Basic Og==",
    `Bearer ${"x".repeat(4_000)}`,
    "bearer\tx",
  ),
  Baggage: anyOf("a=b", "a=b,".repeat(500)),
  "Content-Encoding": anyOf("gzip", "identity", "br, gzip", ""),
  "Content-Language": anyOf("vi"),
  "Content-Type": anyOf(
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=x",
    "application/json;;;",
    "a/b+json",
  ),
  Cookie: anyOf("a=b", "a=b; ".repeat(300)),
  Forwarded: anyOf("for=192.0.2.1", 'for="[2001:db8::1]:4711"', "for=;".repeat(300)),
  "Idempotency-Key": anyOf("a", "a".repeat(256), "with space"),
  "If-None-Match": anyOf('"x"', "*"),
  "Last-Event-ID": anyOf("1-sent", "0"),
  Origin: anyOf("null", "http://evil.example", "https://signup.example", "x"),
  Range: anyOf("bytes=0-1", "bytes=9999999-", "bytes=1-0"),
  "Sec-Fetch-Site": anyOf("cross-site", "same-origin", "none"),
  traceparent: anyOf(TRACE, `${TRACE}-x`, "00-0-0-00", `cc${TRACE.slice(2)}-x`),
  tracestate: anyOf("a=1", "a=1,".repeat(40), "=", "a@b@c=1"),
  "User-Agent": anyOf("curl/8"),
  "X-Forwarded-For": anyOf("192.0.2.1", "::1, ::1", "1.2.3.4,".repeat(300)),
  "X-Forwarded-Host": anyOf("evil.example"),
  "X-Forwarded-Proto": anyOf("https", "javascript"),
  "X-HTTP-Method-Override": anyOf("DELETE"),
};

/** A client refuses to send these; `framings.ts` sends them all the same. */
const isSendable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

const headers: fc.Arbitrary<readonly (readonly [string, string])[]> = fc
  .array(
    fc.constantFrom(...Object.entries(VALUES)).chain(([name, value]) => value.map((text) => [name, text] as const)),
    { maxLength: 5 },
  )
  .map((all) => all.filter(([, value]) => isSendable(value)));

const METHODS_WITH_A_BODY = ["POST", "PUT", "PATCH", "DELETE"] as const;
const METHODS_WITHOUT = ["GET", "HEAD", "OPTIONS", "DELETE"] as const;

/** A kind of route that reads bodies. */
interface Reading {
  readonly paths: readonly string[];
  readonly type: string;
  readonly body: fc.Arbitrary<Uint8Array>;
}

const withBodyFor = ({ paths, type, body }: Reading): fc.Arbitrary<FuzzRequest> =>
  fc
    .record({
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant("POST") },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS_WITH_A_BODY) },
      ),
      path: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...paths) }, { weight: 1, arbitrary: path }),
      query,
      headers,
      body,
      /** As the route expects it: most requests are to reach it. */
      isTyped: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    })
    .map((each): FuzzRequest => {
      const usual = [
        ["Content-Type", type],
        ["Origin", "https://signup.example"],
        ["Authorization", "Bearer a-token-for-tests-alone"],
      ] as const;
      const own = new Set(usual.map(([name]) => name.toLowerCase()));
      const others = each.headers.filter(([name]) => !(own.has(name.toLowerCase()) || name === "Content-Encoding"));
      return {
        kind: "request",
        method: each.method,
        target: `${each.path}${each.query}`,
        headers: each.isTyped ? [...usual, ...others] : each.headers,
        body: new Uint8Array(each.body),
      };
    });

const withBody: fc.Arbitrary<FuzzRequest> = fc.oneof(
  withBodyFor({
    paths: ["/api/v1/user/", "/api/v1/user/", "/api/v1/user", "/api/v1/user/resend", "/api/v1/payments"],
    type: "application/json",
    body: jsonBody,
  }),
  withBodyFor({
    paths: ["/", "/resend", "/confirm"],
    type: "application/x-www-form-urlencoded",
    body: formBody,
  }),
);
const withoutBody = fc.record({ method: fc.constantFrom(...METHODS_WITHOUT), path, query, headers }).map(
  (each): FuzzRequest => ({
    kind: "request",
    method: each.method,
    target: `${each.path}${each.query}`,
    headers: each.headers,
    body: undefined,
  }),
);

export const request: fc.Arbitrary<FuzzRequest> = fc.oneof(
  { weight: 3, arbitrary: withBody },
  { weight: 2, arbitrary: withoutBody },
);
