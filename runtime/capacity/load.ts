import { count } from "../quantity.ts";
import type { Load } from "./model.ts";

const MOST_PER_DAY = 10_000_000_000;
const MOST_PEAK = 1_000;

const within = (most: number) => (text: string) => {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= 1 && value <= most) return value;
  throw new SyntaxError(`expected a number from 1 to ${count(most)}`);
};

/** @throws {SyntaxError} */
export const signupsPerDayOf = within(MOST_PER_DAY);
/** @throws {SyntaxError} */
export const peakFactorOf = within(MOST_PEAK);

/** A length of time in ms: `500ms`, `2s`. @throws {SyntaxError} */
export const mailLatencyOf = (text: string): number => {
  const [, digits = "", unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  const ms = Number(digits) * (unit === "s" ? 1_000 : 1);
  if (digits !== "" && ms >= 1 && ms <= 60_000) return ms;
  throw new SyntaxError("expected a length of time from 1ms to 60s, such as 500ms");
};

/** A load as people write it. */
export const DEFAULT_LOAD = { signupsPerDay: "1000000", peakFactor: "3", mailLatency: "500ms" } as const;

/** In words, for the head of a file: `1,000,000 signups a day, ...`. */
export const loadText = ({ signupsPerDay, peakFactor, mailLatencyMs }: Load): string =>
  `${count(signupsPerDay)} signups a day, ${count(peakFactor)} times the average at the peak, and ${count(mailLatencyMs)} ms for a mail`;
