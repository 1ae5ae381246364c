const ENTRY_ID = /^(\d{10,})(-\d+)?$/;
const AGO = /^(\d+)(s|m|min|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

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
  if (!Number.isNaN(time) && time >= 0) return new Date(time);
  throw new SyntaxError("expected a time such as 2026-11-25T08:00:00Z, or an age such as 2h");
};
