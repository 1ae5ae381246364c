import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { ProblemError } from "../problem.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Lets only callers through that know the service token (RFC 6750, `Authorization: Bearer`). Compared by digests in
 * constant time, so that neither the token nor its length can be found out by trying. No token configured: nobody.
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
