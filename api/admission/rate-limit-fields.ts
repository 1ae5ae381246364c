import type { Left } from "../../stream/scripts/take-limits.ts";
import type { AdmissionLimit } from "./limits.ts";

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));

/** What is left of a limit, by the fields of draft-ietf-httpapi-ratelimit-headers-11. */
export const rateLimitFields = (limit: AdmissionLimit, { count, wholeAfterMs }: Left): Record<string, string> => ({
  "RateLimit-Policy": limit.policy,
  RateLimit: `"${limit.name}";r=${count};t=${seconds(wholeAfterMs)}`,
});

/** The same of a limit that refuses, with `Retry-After` (RFC 9110, 10.2.3): from then on a request is admitted again. */
export const refusalFields = (limit: AdmissionLimit, waitMs: number): Record<string, string> => ({
  ...rateLimitFields(limit, { count: 0, wholeAfterMs: waitMs }),
  "Retry-After": String(seconds(waitMs)),
});
