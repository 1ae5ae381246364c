/**
 * What is said of the request's credentials, address, method or connection, whatever the event: a secret that was changed, a firewall, a route that is missing
 * while the receiver is deployed.
 */
const OF_SETUP: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 421, 423, 425, 426]);
const MAY_RETRY: ReadonlySet<number> = new Set([408, 429, ...OF_SETUP]);

/** Whether a status refuses the event itself, for good. */
export const refusesEvent = (status: number): boolean => status >= 400 && status <= 499 && !MAY_RETRY.has(status);
