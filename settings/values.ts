import { z } from "zod";
import { faultOfDatabaseUrl } from "./database-addresses.ts";

/** How one environment variable is read and documented. The table in docs/settings.md and `.env.example` are generated from this. */
export interface Setting<Value> {
  readonly schema: z.ZodType<Value, string>;
  /** As it would be written in the environment; undefined: no default. */
  readonly fallback?: string;
  /** A value that passes, for messages and for `.env.example`. */
  readonly example: string;
  /** `ms`, `KiB`, `port`, ...; empty where there is none. */
  readonly unit: string;
  readonly about: string;
  /** Also read from the file that `NAME_FILE` names. */
  readonly secret?: boolean;
}

/** Text of a bounded length. */
export const text = (max = 512) => z.string().max(max, `expected at most ${max} characters`);

/** A whole number within bounds, both included. */
export const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a whole number from ${min} to ${max}`);

export const port = wholeNumber(0, 65_535);
/** Milliseconds within bounds; at most 30 days if not given. */
export const duration = (min: number, max = 30 * 24 * 3_600_000) => wholeNumber(min, max);

/** An absolute URL of one of these protocols. */
export const url = (...protocols: readonly string[]): z.ZodType<string, string> =>
  z.string().refine(
    (value) => {
      const parsed = URL.parse(value);
      return parsed !== null && protocols.includes(parsed.protocol.slice(0, -1));
    },
    `expected a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(" or ")}`,
  );

/** A URL of PostgreSQL, which may name several servers, separated by commas. */
export const databaseUrl: z.ZodType<string, string> = z.string().superRefine((value, context) => {
  const message = faultOfDatabaseUrl(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** One plain mail address. */
export const mailbox = z
  .string()
  .max(254, "expected at most 254 characters")
  .regex(/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, "expected one plain mail address");

/** One line of a bounded length. */
export const singleLine = (max: number) =>
  text(max).regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "expected a single line without control characters");

/** A definition with the type of its value. */
export const setting = <Value>(value: Setting<Value>): Setting<Value> => value;
