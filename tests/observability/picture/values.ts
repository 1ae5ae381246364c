const DURATIONS = [
  { from: 3_600, unit: "h", factor: 1 / 3_600 },
  { from: 60, unit: "min", factor: 1 / 60 },
  { from: 1, unit: "s", factor: 1 },
  { from: 0, unit: "ms", factor: 1_000 },
] as const;

const rounded = (value: number): string => {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
};

const duration = (seconds: number): string => {
  if (seconds === 0) return "0 s";
  const { unit, factor } = DURATIONS.find(({ from }) => seconds >= from) ?? DURATIONS[2];
  return `${rounded(seconds * factor)} ${unit}`;
};

/** A value as Grafana would write it in that unit. */
export const written = (value: number, unit: string | undefined): string => {
  if (!Number.isFinite(value)) return "–";
  if (unit === "s") return duration(value);
  if (unit === "percentunit") return `${rounded(value * 100)} %`;
  if (unit === "reqps") return `${rounded(value)} req/s`;
  if (unit === "cps") return `${rounded(value)}/s`;
  return rounded(value);
};

/** Text that may stand in XML. */
export const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Breaks a text into lines of at most so many characters; what does not fit into `most` lines is cut. */
export const lines = (text: string, width: number, most: number): readonly string[] => {
  const all: string[] = [];
  for (const word of text.split(" ")) {
    const last = all.at(-1);
    if (last !== undefined && last.length + word.length < width) all[all.length - 1] = `${last} ${word}`;
    else all.push(word);
  }
  return all.length <= most ? all : [...all.slice(0, most - 1), `${all[most - 1]} …`];
};
