import { LOCALES, type Locale } from "../stream/event.ts";

/** Longer headers are not read to their end: no real one is. */
const MAX_HEADER = 1_000;

const qualityOf = (parameters: readonly string[]): number => {
  const quality = parameters.map((parameter) => /^\s*q=(\d(?:\.\d{0,3})?)\s*$/i.exec(parameter)?.[1]).find(Boolean);
  return quality === undefined ? 1 : Number(quality);
};

/**
 * The language in which to answer: the one that `Accept-Language` prefers (RFC 9110, 12.5.4; `en-GB` counts as `en`, and
 * of two that are equally welcome the first wins), Vietnamese where it asks for neither.
 */
export const preferredLanguage = (acceptLanguage: string | undefined): Locale => {
  let best: { readonly language: Locale; readonly quality: number } = { language: "vi", quality: 0 };
  if (acceptLanguage === undefined) return best.language;
  for (const item of acceptLanguage.slice(0, MAX_HEADER).split(",")) {
    const [tag = "", ...parameters] = item.split(";");
    const primary = tag.trim().toLowerCase().split("-")[0] ?? "";
    const language = primary === "*" ? "vi" : LOCALES.find((locale) => locale === primary);
    const quality = qualityOf(parameters);
    if (language !== undefined && quality > best.quality) best = { language, quality };
  }
  return best.language;
};
