const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A duration in its two largest units: `340 ms`, `4.2 s`, `5 min 20 s`, `3 d 4 h`. */
export const duration = (ms: number): string => {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  if (whole < 60_000) return `${(whole / 1_000).toFixed(1).replace(/\.0$/, "")} s`;
  const index = UNITS.findIndex(([, size]) => whole >= size);
  const [name, size] = UNITS[index] ?? ["s", 1_000];
  const [smallerName, smallerSize] = UNITS[index + 1] ?? ["s", 1_000];
  const rest = Math.floor((whole % size) / smallerSize);
  return `${Math.floor(whole / size)} ${name}${rest === 0 ? "" : ` ${rest} ${smallerName}`}`;
};

/** Bytes in the largest fitting unit: `31.4 MiB`. */
export const bytes = (count: number): string => {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${names[power]}`;
};

/** A whole number with thousands separators: `20,000`. */
export const count = (value: number): string => value.toLocaleString("en-US");

/** A rate, with two decimals where it is below 10: `0.25`, `12`. */
export const roundedRate = (rate: number): number => Number(rate.toFixed(rate < 10 ? 2 : 0));

/** A number and its noun: `1 letter`, `20,000 letters`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A moment relative to `now`: `5 min ago`, `in 20 s`. */
export const relative = (at: Date, now: Date): string => {
  const ms = now.getTime() - at.getTime();
  return ms >= 0 ? `${duration(ms)} ago` : `in ${duration(-ms)}`;
};
