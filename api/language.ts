import type { Context, MiddlewareHandler } from "hono";
import { type DetectorType, languageDetector } from "hono/language";
import { LOCALES, type Locale } from "../stream/events/user-signed-up.ts";

const DEFAULT: Locale = "vi";
/** Longer headers are not parsed, since hono would parse and sort up to 16 KB: no browser sends one. */
const MAX_HEADER = 1_000;

const detector = (...order: DetectorType[]): MiddlewareHandler => {
  const detect = languageDetector({
    order,
    supportedLanguages: [...LOCALES],
    fallbackLanguage: DEFAULT,
    // hono does not know the wildcard: a client that accepts any language gets the default.
    convertDetectedLanguage: (tag) => (tag === "*" ? DEFAULT : tag),
    caches: false,
  });
  return (c, next) => {
    const length = c.req.header("accept-language")?.length ?? 0;
    // Without header or query there is nothing to detect: `languageOf` falls back.
    const isGiven = length > 0 || order.includes("querystring");
    return isGiven && length <= MAX_HEADER ? detect(c, next) : next();
  };
};

/** Sets the language of the answer: the one that `Accept-Language` prefers (RFC 9110, 12.5.4), or else Vietnamese. */
export const detectLanguage = (): MiddlewareHandler => detector("header");

/** The same for pages, where `?lang=` comes before the header. */
export const detectPageLanguage = (): MiddlewareHandler => detector("querystring", "header");

/** The language in which to answer. */
export const languageOf = (c: Context): Locale => LOCALES.find((locale) => locale === c.get("language")) ?? DEFAULT;
