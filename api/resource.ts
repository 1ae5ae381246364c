import type { Handler, Hono } from "hono";
import { ProblemError } from "./problem.ts";

/** The methods that one path answers to. GET brings HEAD with it. */
export interface Methods {
  readonly get?: Handler;
  readonly post?: Handler;
}

/**
 * Registers a path with all that belongs to it: its methods, HEAD, OPTIONS (204 with `Allow`), and 405 with `Allow` for
 * every other method (RFC 9110, 15.5.6).
 */
export const resource = (app: Hono, path: string, { get, post }: Methods): void => {
  if (get !== undefined) app.get(path, get);
  if (post !== undefined) app.post(path, post);
  const allow = [...(get === undefined ? [] : ["GET", "HEAD"]), ...(post === undefined ? [] : ["POST"]), "OPTIONS"];
  const headers = { Allow: allow.join(", ") };
  app.all(path, (c) => {
    if (c.req.method === "OPTIONS") return c.body(null, 204, headers);
    throw new ProblemError("method_not_allowed", { headers });
  });
};
