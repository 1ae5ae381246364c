import { type Setting, setting, wholeNumber } from "./values.ts";

const DAY_MS = 24 * 3_600_000;
/** Longer than retries, links in mails and reports of bounces take, and than anybody repeats a signup under its Idempotency-Key. */
const LEAST_DAYS = 7;
const MOST_DAYS = 36_525;

/** How long the ledger remembers. */
export const LEDGER = {
  LEDGER_RETENTION_MS: setting({
    schema: wholeNumber(0, MOST_DAYS * DAY_MS).refine(
      (value) => value === 0 || value >= LEAST_DAYS * DAY_MS,
      `expected 0, or at least ${LEAST_DAYS * DAY_MS} (${LEAST_DAYS} days)`,
    ),
    fallback: "0",
    example: "34560000000",
    unit: "ms",
    about:
      "Time after which an event is deleted from the log with its deliveries, if all of them are done, suppressed or cancelled. 0: never. At least 7 days; what is deleted can neither be shown nor replayed.",
  }),
} satisfies Record<string, Setting<unknown>>;
