/** What to do about a mail server that fails for a reason; what is not here `ops doctor` finds out. */
const OF_MAIL: Readonly<Record<string, string>> = {
  connection_refused: "start it, or correct MAIL_SERVER and MAIL_PORT of the consumers; then: ops doctor",
  connection_failed: "look at the network to it, and at MAIL_SERVER and MAIL_PORT of the consumers; then: ops doctor",
  dns: "correct MAIL_SERVER of the consumers, or mend the DNS; then: ops doctor",
  tls: "mend its certificate, or MAIL_TLS of the consumers; then: ops doctor",
  auth: "correct MAIL_USERNAME and MAIL_PASSWORD of the consumers; then: ops doctor",
  sender_refused: "correct MAIL_FROM of the consumers, or ask its operator; then: ops doctor",
};

/** It answers, and takes nothing of ours. */
const DECLINES: ReadonlySet<string> = new Set(["client_refused", "account_refused", "policy", "rejected"]);
const ASK = "ask its operator about these words; ops doctor checks our SPF, DKIM and DMARC";

const RECEIVER = /^webhook-/;

/** What an operator does about the system of a group that fails for a reason. Pure. */
export const remedyFor = (group: string, reason: string | undefined): string => {
  if (RECEIVER.test(group))
    return `its operator has to mend it; try it: ops webhook test ${group.replace(RECEIVER, "")}`;
  if (reason === undefined || !group.endsWith("-email")) return "ops doctor";
  return DECLINES.has(reason) ? ASK : (OF_MAIL[reason] ?? "ops doctor");
};
