import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { ProblemError } from "../problem.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Admits only callers with the service token (RFC 6750, `Authorization: Bearer`). Digests are compared in constant
 * time, so that timing reveals neither the token nor its length. Without a configured token nobody is admitted.
 *
 * @throws {ProblemError} `unauthorized`, with `WWW-Authenticate`
 */
export const createServiceTokenCheck = (serviceToken: string | undefined): ((c: Context) => void) => {
  const expected = serviceToken === undefined ? undefined : digest(serviceToken);
  return (c) => {
    const given = /^bearer +(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (given !== undefined && expected !== undefined && timingSafeEqual(digest(given), expected)) return;
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
