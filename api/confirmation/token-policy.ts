import type { MiddlewareHandler } from "hono";

/** For pages with a token in their address: the address goes to nobody else, not even to another page of ours. */
export const tokenPolicy: MiddlewareHandler = async (c, next) => {
  await next();
  c.res.headers.set("Referrer-Policy", "no-referrer");
};
