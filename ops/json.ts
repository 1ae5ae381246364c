const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A value with property names as in the API: `eventId` becomes `event_id`. */
const renamed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snakeCase(name), renamed(item)]));
};

/** One JSON document, names in snake_case, times in ISO 8601. */
export const jsonDocument = (value: unknown): string => JSON.stringify(renamed(value), null, 2);

/** The same in one line, for what is shown again and again. */
export const jsonLine = (value: unknown): string => JSON.stringify(renamed(value));
