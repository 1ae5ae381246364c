/** Where a mail stands. A new state does not compile until every switch over it has decided. */
export const EMAIL_STATES = [
  "queued",
  "sending",
  "retrying",
  "uncertain",
  "held",
  "sent",
  "dead",
  "suppressed",
  "cancelled",
] as const;
export type EmailState = (typeof EMAIL_STATES)[number];

const FINAL: ReadonlySet<EmailState> = new Set(["sent", "dead", "suppressed", "cancelled"]);

/** Whether nothing more will happen to the mail by itself or by an operator's wait. */
export const isFinal = (state: EmailState): boolean => FINAL.has(state);
