import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { ProblemError } from "../problem.ts";
import { createTokenAttempts } from "./token-attempts.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

export interface ServiceTokenDeps {
  /** Undefined: nobody is admitted. */
  readonly serviceToken: string | undefined;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/**
 * Admits only callers with the service token (RFC 6750, `Authorization: Bearer`). Digests are compared in constant
 * time, so that timing reveals neither the token nor its length. Without a configured token nobody is admitted. A client that
 * has sent ten wrong ones is refused for the rest of the minute, even with the right one; nobody else is.
 *
 * @throws {ProblemError} `unauthorized`, with `WWW-Authenticate`, or `too_many_tokens`, with `Retry-After`
 */
export const createServiceTokenCheck = ({ serviceToken, clientOf, now }: ServiceTokenDeps): ((c: Context) => void) => {
  const expected = serviceToken === undefined ? undefined : digest(serviceToken);
  const attempts = createTokenAttempts(now);
  return (c) => {
    const given = /^bearer +(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];
    const client = clientOf(c.req.raw);
    const waitMs = given === undefined ? 0 : attempts.waitMs(client);
    if (waitMs > 0) {
      const headers = { "Retry-After": String(Math.ceil(waitMs / 1_000)) };
      throw new ProblemError("too_many_tokens", { headers });
    }
    if (given !== undefined && expected !== undefined && timingSafeEqual(digest(given), expected)) {
      attempts.succeeded(client);
      return;
    }
    if (given !== undefined) attempts.failed(client);
    const challenge = `Bearer realm="signup-stream"${given === undefined ? "" : ', error="invalid_token"'}`;
    throw new ProblemError("unauthorized", { headers: { "WWW-Authenticate": challenge } });
  };
};

/**
 * Whether a caller presents the service token, on routes that show more to those who do. Other schemes, such as a proxy's
 * Basic, are none of ours.
 *
 * @throws {ProblemError} `unauthorized` if a token is presented and wrong
 */
export const createOperatorCheck =
  (requireServiceToken: (c: Context) => void): ((c: Context) => boolean) =>
  (c) => {
    if (!/^bearer\b/i.test(c.req.header("authorization") ?? "")) return false;
    requireServiceToken(c);
    return true;
  };
