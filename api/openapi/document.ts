import type { Handler, Hono } from "hono";
import { generateSpecs } from "hono-openapi";
import { SECURITY_SCHEMES, TAGS } from "./describe.ts";
import { problemSchemasIn } from "./problem-schemas.ts";

export interface DocumentOptions {
  readonly brandName: string;
  readonly publicUrl: string;
}

/**
 * The text of the OpenAPI 3.1 document of the routes that `app` has, from the descriptions beside their
 * handlers and the schemas that validate. Made at the first call, when all routes are registered.
 */
export const openapiText = (app: Hono, { brandName, publicUrl }: DocumentOptions): (() => Promise<string>) => {
  let text: Promise<string> | undefined;
  const documentText = async (): Promise<string> => {
    const { paths, components, ...rest } = await generateSpecs(app, {
      documentation: {
        info: {
          title: `${brandName} signup`,
          version: "1.0.0",
          description:
            "Sign up, and follow the status of the welcome mail. Every error is a problem (RFC 9457), whose `code` never " +
            "changes and whose `type` is a page about it.",
          contact: { name: brandName, url: publicUrl },
          license: { name: "MIT", identifier: "MIT" },
        },
        servers: [{ url: "/", description: "Where this document is from." }],
        tags: [...TAGS],
        components: { securitySchemes: SECURITY_SCHEMES },
      },
    });
    return JSON.stringify({
      ...rest,
      paths,
      components: { ...components, schemas: { ...components?.schemas, ...problemSchemasIn(JSON.stringify(paths)) } },
    });
  };
  return () => {
    text ??= documentText();
    return text;
  };
};

/** `GET /openapi.json` */
export const openapiRoute =
  (documentText: () => Promise<string>): Handler =>
  async (c) =>
    c.body(await documentText(), 200, { "Content-Type": "application/json", "Cache-Control": "no-cache" });
