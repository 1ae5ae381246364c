/** Longest time that a receiver can ask for: a day, in ms. */
const MOST_MS = 86_400_000;

/**
 * `Retry-After` (RFC 9110, section 10.2.3) as a delay in ms, at most a day: a number of seconds, or a date. undefined if
 * there is none, or none that can be read. Pure; `now` is the time in ms since 1970.
 */
export const retryAfterMs = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined;
  const given = value.trim();
  if (/^\d+$/.test(given)) return Math.min(MOST_MS, Number(given) * 1_000);
  // A date has a name of a month; Date.parse reads far more than dates of HTTP.
  const date = /^[A-Z][a-z]+,? /.test(given) ? Date.parse(given) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(MOST_MS, Math.max(0, date - now));
};
