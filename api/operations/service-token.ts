import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { isPrivate } from "../client/client.ts";
import { ProblemError } from "../problem.ts";
import type { TokenAttempts } from "./token-attempts.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether a text is the token: by digests, in constant time, so that timing reveals neither the token nor its length. */
export const isTokenOf = (token: string): ((given: string) => boolean) => {
  const expected = digest(token);
  return (given) => timingSafeEqual(digest(given), expected);
};

export interface ServiceTokenDeps {
  /** Undefined: nobody is admitted. */
  readonly serviceToken: string | undefined;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  /** Also the password of Basic authentication (RFC 7617), for callers that know no other. */
  readonly allowsBasic?: boolean;
  /** Of all routes together. */
  readonly attempts: TokenAttempts;
}

/** The token of `Authorization: Bearer`; of Basic, where that is allowed, the password. */
const tokenOf = (authorization: string, allowsBasic: boolean): string | undefined => {
  const bearer = /^bearer +(\S+)\s*$/i.exec(authorization)?.[1];
  const basic = allowsBasic ? /^basic +([A-Za-z0-9+/]+={0,2})\s*$/i.exec(authorization)?.[1] : undefined;
  if (basic === undefined) return bearer;
  const pair = Buffer.from(basic, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
};

/** Whether a request has the service token, before a route asks for it. */
export interface ServiceTokenHolders {
  /**
   * A wrong one is counted here: what becomes of the request may tell whether it was right. `allowsBasic`: whether the password of Basic
   * authentication may be it, too; it is often another system's.
   */
  has(request: Request, client: string, allowsBasic: boolean): boolean;
}

export const createServiceTokenHolders = ({
  serviceToken,
  attempts,
}: Pick<ServiceTokenDeps, "serviceToken" | "attempts">): ServiceTokenHolders => {
  const isToken = serviceToken === undefined ? () => false : isTokenOf(serviceToken);
  return {
    has(request, client, allowsBasic) {
      const given = tokenOf(request.headers.get("authorization") ?? "", allowsBasic);
      // Who has been wrong too often learns nothing from how it is treated.
      if (given === undefined || attempts.waitMs(client) > 0) return false;
      const isRight = isToken(given);
      if (!isRight) attempts.failed(client, request);
      return isRight;
    },
  };
};

/**
 * Admits only callers with the service token (RFC 6750, `Authorization: Bearer`). Without a configured token nobody is
 * admitted. A client that has sent ten wrong ones, wherever, is refused for the rest of the minute, even with the right one; nobody else is. On a
 * private network it may be a proxy that is not trusted, before which everybody is one client: there the right one is always admitted.
 *
 * @throws {ProblemError} `unauthorized`, with `WWW-Authenticate`, or `too_many_tokens`, with `Retry-After`
 */
export const createServiceTokenCheck = ({
  serviceToken,
  clientOf,
  allowsBasic = false,
  attempts,
}: ServiceTokenDeps): ((c: Context) => void) => {
  const isToken = serviceToken === undefined ? () => false : isTokenOf(serviceToken);
  return (c) => {
    const given = tokenOf(c.req.header("authorization") ?? "", allowsBasic);
    const client = clientOf(c.req.raw);
    const isRight = given !== undefined && isToken(given);
    // The tenth wrong one is told so, as it was when it was counted.
    const waitMs = given === undefined || attempts.hasCounted(c.req.raw) ? 0 : attempts.waitMs(client);
    if (waitMs > 0 && !(isRight && isPrivate(client))) {
      const headers = { "Retry-After": String(Math.ceil(waitMs / 1_000)) };
      throw new ProblemError("too_many_tokens", { headers });
    }
    if (isRight) {
      attempts.succeeded(client);
      return;
    }
    if (given !== undefined) attempts.failed(client, c.req.raw);
    const bearer = `Bearer realm="signup-stream"${given === undefined ? "" : ', error="invalid_token"'}`;
    const challenge = allowsBasic ? `${bearer}, Basic realm="signup-stream"` : bearer;
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
