import type { Context } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { languageOf } from "../language.ts";

/** Answers with a page that is not cached: it is personal, or soon out of date. */
export const page = async (
  c: Context,
  element: JSX.Element,
  status: ContentfulStatusCode = 200,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  c.html(`<!DOCTYPE html>${await element.toString()}`, status, {
    "Cache-Control": "no-store",
    "Content-Language": languageOf(c),
    Vary: "Accept-Language",
    ...headers,
  });
