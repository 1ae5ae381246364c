import type { MiddlewareHandler } from "hono";

const ONE_YEAR_S = 31_536_000;

export type SecureHeaders = readonly [name: string, value: string][];

/** `{ defaultSrc: ["'self'"] }` -> `default-src 'self'` */
const policyText = (policy: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(policy)
    .map(([name, sources]) => [name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`), ...sources].join(" "))
    .join("; ");

/** Headers of every answer: what a browser may do with it (OWASP Secure Headers Project). */
export const secureHeadersOf = (options: {
  readonly contentSecurityPolicy: Readonly<Record<string, readonly string[]>>;
  readonly publicUrl: string;
}): SecureHeaders => [
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Origin-Agent-Cluster", "?1"],
  // Under no-referrer, browsers send `Origin: null` with our own form, which would then be rejected.
  ["Referrer-Policy", "same-origin"],
  ...(options.publicUrl.startsWith("https:")
    ? [["Strict-Transport-Security", `max-age=${ONE_YEAR_S}`] satisfies [string, string]]
    : []),
  ["X-Content-Type-Options", "nosniff"],
  ["X-DNS-Prefetch-Control", "off"],
  ["X-Download-Options", "noopen"],
  ["X-Frame-Options", "DENY"],
  ["X-Permitted-Cross-Domain-Policies", "none"],
  ["X-XSS-Protection", "0"],
  ["Content-Security-Policy", policyText(options.contentSecurityPolicy)],
];

/** Sets headers of an answer, in place of what it has of that name. */
export const withHeaders =
  (headers: SecureHeaders): MiddlewareHandler =>
  async (c, next) => {
    await next();
    for (const [name, value] of headers) c.res.headers.set(name, value);
  };
