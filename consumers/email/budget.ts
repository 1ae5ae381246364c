import type { Settings } from "../../settings/load.ts";
import type { SharedBudget } from "../engine/admission.ts";

/** Who is served first where the rate does not suffice for all: somebody waits for the welcome mail. */
const PRIORITY = { welcome: 0, reminder: 1 } as const;

/** The budget that all mail groups share; undefined if the settings set no rate. */
export const mailBudget = (
  settings: Pick<Settings, "MAIL_RATE_PER_SECOND" | "MAIL_RATE_PER_DAY">,
  kind: keyof typeof PRIORITY,
): SharedBudget | undefined => {
  const { MAIL_RATE_PER_SECOND: perSecond = 0, MAIL_RATE_PER_DAY: perDay = 0 } = settings;
  if (perSecond === 0 && perDay === 0) return undefined;
  return { name: "mail", limits: { perSecond, perDay }, priority: PRIORITY[kind] };
};
