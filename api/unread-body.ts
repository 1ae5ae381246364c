import type { Context } from "hono";
import { MAX_BODY_BYTES } from "./read-body.ts";

/**
 * Closes the connection after an answer that did not wait for the whole of a large body. The server would take in the rest of
 * it, up to its own limit, before the next request. Small ones are worth their connection.
 */
export const closeAfterUnread = (c: Context): void => {
  const request = c.req.raw;
  const { headers } = request;
  if (!headers.has("transfer-encoding") && Number(headers.get("content-length")) <= MAX_BODY_BYTES) return;
  // In this order, and last: to ask for a body makes a stream of it.
  if (request.bodyUsed || request.body === null) return;
  c.res.headers.set("Connection", "close");
};
