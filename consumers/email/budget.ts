import type { Settings } from "../../settings/load.ts";
import type { GroupBudget } from "../engine/handler.ts";

/** Who is served first where the rate does not suffice for all: somebody waits for the welcome mail. */
const PRIORITY = { welcome: 0, reminder: 1 } as const;

/** What the settings allow all mail groups together, and which of them comes first. */
export const mailBudget = (
  settings: Pick<Settings, "MAIL_RATE_PER_SECOND" | "MAIL_RATE_PER_DAY">,
  kind: keyof typeof PRIORITY,
): GroupBudget => {
  const { MAIL_RATE_PER_SECOND: perSecond = 0, MAIL_RATE_PER_DAY: perDay = 0 } = settings;
  return { limits: { perSecond, perDay }, priority: PRIORITY[kind] };
};
