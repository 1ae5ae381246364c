import type { Handler, Hono } from "hono";
import { generateSpecs } from "hono-openapi";
import { SECURITY_SCHEMES } from "./describe.ts";

/**
 * `GET /openapi.json`: the OpenAPI 3.1 document of the routes that `app` has, from the descriptions beside their
 * handlers and the schemas that validate. Made at the first call, when all routes are registered.
 */
export const openapiRoute = (app: Hono, brandName: string): Handler => {
  let text: Promise<string> | undefined;
  const documentText = async (): Promise<string> =>
    JSON.stringify(
      await generateSpecs(app, {
        documentation: {
          info: {
            title: `${brandName} signup`,
            version: "1.0.0",
            description: "Sign up, and follow the status of the welcome mail. Every error is an RFC 9457 problem.",
          },
          servers: [{ url: "/" }],
          components: { securitySchemes: SECURITY_SCHEMES },
        },
      }),
    );
  return async (c) => {
    text ??= documentText();
    return c.body(await text, 200, { "Content-Type": "application/json", "Cache-Control": "no-cache" });
  };
};
