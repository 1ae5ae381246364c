import type { Context } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Locale } from "../../stream/event.ts";
import { preferredLanguage } from "../language.ts";
import { languageOf } from "./texts.ts";

/** The language of a page: `?lang=`, else `Accept-Language`, else Vietnamese. */
export const pageLanguage = (c: Context): Locale =>
  languageOf(c.req.query("lang"), preferredLanguage(c.req.header("accept-language")));

/** Answers with a page that nobody keeps: it is one person's, or of this moment. */
export const page = async (
  c: Context,
  element: JSX.Element,
  status: ContentfulStatusCode = 200,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  c.html(`<!DOCTYPE html>${await element.toString()}`, status, {
    "Cache-Control": "no-store",
    "Content-Language": pageLanguage(c),
    Vary: "Accept-Language",
    ...headers,
  });
