const COLOURS = [36, 35, 33, 32, 34, 31];
const HIDDEN = new Set(["time", "level", "service", "message", "pid", "trace_id", "span_id", "trace_flags"]);

const shown = (value: unknown): string => {
  if (typeof value === "string") return value;
  const isError = typeof value === "object" && value !== null && "message" in value && "stack" in value;
  return JSON.stringify(isError ? value.message : value);
};

/** A log line for people: JSON becomes `HH:MM:SS level message key=value`; other lines stay unchanged. */
export const readableLine = (line: string): string => {
  if (!line.startsWith("{")) return line;
  try {
    const fields: Record<string, unknown> = JSON.parse(line);
    const { time, level, message } = fields;
    if (typeof time !== "string" || typeof level !== "string") return line;
    const rest = Object.entries(fields)
      .filter(([key]) => !HIDDEN.has(key))
      .map(([key, value]) => `${key}=${shown(value)}`);
    // In the reader's time zone.
    const clock = new Date(time).toTimeString().slice(0, 8);
    return [clock, level.padEnd(5), String(message ?? ""), ...rest].join(" ");
  } catch {
    return line;
  }
};

/** Prints the lines of one part with its name before each. */
export const createPrinter = (
  index: number,
  name: string,
  isColourful: boolean,
  print: (line: string) => void,
): ((line: string) => void) => {
  const label = name.padEnd(11);
  const colour = COLOURS[index % COLOURS.length] ?? 36;
  const prefix = isColourful ? `\x1b[${colour}m${label}\x1b[0m|` : `${label}|`;
  return (line) => print(`${prefix} ${readableLine(line)}`);
};
