import { NotFound } from "./operator.ts";

/** Every action that is recorded, as an operator calls it. */
export const ACTION_NAMES = [
  "dead drop",
  "dead retry",
  "deliveries",
  "erase",
  "group drop",
  "held drop",
  "held release",
  "import celery",
  "mail test",
  "pause",
  "rate",
  "rate clear",
  "replay",
  "resume",
  "suppressions lift",
  "webhook enable",
  "webhook test",
] as const;

export type ActionName = (typeof ACTION_NAMES)[number];

/**
 * Checks that a filter of the audit log names an action, or the first word of some: `dead`.
 *
 * @throws {NotFound} naming the actions there are
 */
export const requireAction = (wanted: string | undefined): void => {
  if (wanted === undefined || ACTION_NAMES.some((name) => name === wanted || name.startsWith(`${wanted} `))) return;
  throw new NotFound(`no action is named ${wanted}; there are: ${ACTION_NAMES.join(", ")}`);
};
