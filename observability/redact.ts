/** Anything that looks like a mailbox: `local@domain`, quoted local parts included. Greedy on purpose. */
const ADDRESS = /(?:"[^"\n]{1,64}"|[^\s<>"'(),:;@[\]\\]{1,64})@[^\s<>"'(),;@]{1,255}/gu;

/**
 * The text with every mail address replaced by `<address>`.
 *
 * Mail servers quote the recipient in their replies; replies go to the ledger, to dead letters and to the log, and none
 * of these may hold personal data.
 */
export const withoutAddresses = (text: string): string => text.replace(ADDRESS, "<address>");
