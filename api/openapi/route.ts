import type { Handler } from "hono";
import { openapiDocument } from "./document.ts";

/** `GET /openapi.json`, made at the first call. */
export const openapiRoute = (brandName: string): Handler => {
  let text: string | undefined;
  return (c) => {
    text ??= JSON.stringify(openapiDocument(brandName));
    return c.body(text, 200, { "Content-Type": "application/json", "Cache-Control": "no-cache" });
  };
};
