/** Of no other length since 2001: a time in seconds would be one of 1970. */
const ENTRY_ID = /^(\d{13})(-\d+)?$/;
const ISO = /^(\d{4}-\d{2})(?:-(\d{2})(?:[T ].*)?)?$/;
const AGO = /^(\d+)(s|m|min|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** It is a month, or a day that the month has: `Date.parse` takes the 30th of February for the 2nd of March, and much else for a time. */
const isDay = (value: string): boolean => {
  const [, month, day = "01"] = ISO.exec(value) ?? [];
  return new Date(`${month}-01T00:00Z`).getUTCMonth() === new Date(`${month}-${day}T00:00Z`).getUTCMonth();
};

/**
 * A time: ISO 8601, an age (`90m`, `2h`), or the id of an entry, which begins with its time in ms.
 *
 * @throws {SyntaxError}
 */
export const momentOf = (value: string, now: Date): Date => {
  const entry = ENTRY_ID.exec(value);
  if (entry !== null) return new Date(Number(entry[1]));
  const ago = AGO.exec(value);
  if (ago !== null) return new Date(now.getTime() - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0));
  const time = Date.parse(value);
  if (!Number.isNaN(time) && time >= 0 && isDay(value)) return new Date(time);
  throw new SyntaxError("expected a time such as 2026-11-25T08:00:00Z, or an age such as 2h");
};
