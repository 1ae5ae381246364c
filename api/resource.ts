import type { Handler, Hono, MiddlewareHandler } from "hono";
import { describeRoute } from "hono-openapi";
import { completed, type Description } from "./openapi/describe.ts";
import { ProblemError } from "./problem.ts";

/** A handler of the API, beside its description in the OpenAPI document. */
export interface Operation {
  readonly description: Description;
  readonly handler: Handler;
}

/** The methods of one path. GET includes HEAD. A handler without a description is left out of the document. */
export interface Methods {
  readonly get?: Operation | Handler;
  readonly post?: Operation | Handler;
}

/** The description becomes a property of the handler: as a middleware of its own it would be run at each request. */
const handlerOf = (method: Operation | Handler): Handler =>
  typeof method === "function"
    ? method
    : Object.assign<Handler, MiddlewareHandler>(
        (c, next) => method.handler(c, next),
        describeRoute(completed(method.description)),
      );

/**
 * Registers a path with everything that belongs to it: its methods, HEAD, OPTIONS (204 with `Allow`), and 405 with
 * `Allow` for every other method (RFC 9110, 15.5.6).
 */
export const resource = (app: Hono, path: string, { get, post }: Methods): void => {
  if (get !== undefined) app.on("GET", [path], handlerOf(get));
  if (post !== undefined) app.on("POST", [path], handlerOf(post));
  const allow = [...(get === undefined ? [] : ["GET", "HEAD"]), ...(post === undefined ? [] : ["POST"]), "OPTIONS"];
  const headers = { Allow: allow.join(", ") };
  app.all(path, (c) => {
    if (c.req.method === "OPTIONS") return c.body(null, 204, headers);
    throw new ProblemError("method_not_allowed", { headers });
  });
};
