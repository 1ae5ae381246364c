import { shellWord } from "../shell-word.ts";

/** Of a report that came after the mail was sent. */
const OF_REPORTS = /^bounced\b/;
/** Of people who want no mail: who did not sign up, and who complained. */
const OF_OWNERS = /^(?:not_me|complained)\b/;

/** Whether an address was suppressed because its owner wants no mail. */
export const isOwners = (reason: string): boolean => OF_OWNERS.test(reason);

/** Whether mails may be dead by a suppression's reason: others were sent before. */
export const leavesDead = (reason: string): boolean => !OF_REPORTS.test(reason) && !isOwners(reason);

/** The command that queues again what is dead by a suppression's reason; undefined: nothing is. */
export const retryOfDead = (reason: string, flags: string): string | undefined =>
  leavesDead(reason) ? `ops deliveries retry --state dead --reason ${shellWord(reason)}${flags}` : undefined;
