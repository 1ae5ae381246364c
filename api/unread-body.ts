import type { MiddlewareHandler } from "hono";
import { MAX_BODY_BYTES } from "./read-body.ts";

/**
 * Closes the connection after an answer that did not wait for the whole of a large body. The server would take in the rest of
 * it, up to its own limit, before the next request. Small ones are worth their connection.
 */
export const closeAfterUnread = (): MiddlewareHandler => async (c, next) => {
  await next();
  const { body, bodyUsed, headers } = c.req.raw;
  if (body === null || bodyUsed) return;
  const isSmall = !headers.has("transfer-encoding") && Number(headers.get("content-length")) <= MAX_BODY_BYTES;
  if (!isSmall) c.res.headers.set("Connection", "close");
};
