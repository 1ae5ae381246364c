import type { Context } from "hono";

/** Answers HEAD with the length that GET would have (RFC 9110, 9.3.2): the server itself would say 0. */
export const setLengthOfHead = async (c: Context): Promise<void> => {
  if (c.res.body === null || c.res.headers.has("content-length")) return;
  const { byteLength } = await c.res.clone().arrayBuffer();
  c.res.headers.set("Content-Length", String(byteLength));
};
