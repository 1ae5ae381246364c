import type { Locale } from "../../stream/events/user-signed-up.ts";

const UNITS = [
  { ms: 86_400_000, vi: "ngày", en: "d" },
  { ms: 3_600_000, vi: "giờ", en: "h" },
  { ms: 60_000, vi: "phút", en: "min" },
  { ms: 1_000, vi: "giây", en: "s" },
] as const;

/** A duration as people say it. 42 -> `42 ms`; 310 -> `0.3 s`, `0,3 giây`; from ten seconds on, whole units. Of server and browser. */
export const durationText = (ms: number, language: Locale): string => {
  const positive = Math.max(0, ms);
  if (positive < 100) return `${Math.round(positive)} ms`;
  const unit = UNITS.find(({ ms: size }) => positive >= size) ?? UNITS[3];
  const digits = positive < 10_000 ? 1 : 0;
  const count = Math.floor((positive / unit.ms) * 10 ** digits) / 10 ** digits;
  const text = count.toFixed(digits);
  return `${language === "vi" ? text.replace(".", ",") : text} ${unit[language]}`;
};
