import type { MiddlewareHandler } from "hono";
import { csrf } from "hono/csrf";

/** Refuses a form that another site sends. `publicOrigin`: behind a proxy that ends TLS, the browser's origin is not the request's. */
export const fromOurPages = (publicOrigin: string): MiddlewareHandler =>
  csrf({ origin: (origin, c) => origin === publicOrigin || origin === URL.parse(c.req.url)?.origin });
