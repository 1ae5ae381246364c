import { setting, wholeNumber } from "./values.ts";

/** What each limit is if it is not set. */
export const RATE_LIMIT_DEFAULTS = {
  RATE_LIMIT_PER_IP: 120,
  RATE_LIMIT_PER_ADDRESS: 5,
  RATE_LIMIT_PER_DOMAIN: 1_000,
  RATE_LIMIT_GLOBAL: 6_000,
} as const;

const MAX = 1_000_000_000;
const NOT_PRIVATE = "not for clients on loopback and private networks";

/** Without `fallback`: a limit that was set counts everybody, a default may not. */
const limit = (example: number, unit: string, about: string) =>
  setting({ schema: wholeNumber(0, MAX), example: String(example), unit, about });

/** How many signups, and requests for another mail, are admitted; 0: any number. */
export const LIMITS = {
  RATE_LIMIT_PER_IP: limit(
    RATE_LIMIT_DEFAULTS.RATE_LIMIT_PER_IP,
    "signups a minute",
    `Of one client, an IPv6 client being its /64; 0: unlimited. Default: ${RATE_LIMIT_DEFAULTS.RATE_LIMIT_PER_IP}, ${NOT_PRIVATE}.`,
  ),
  RATE_LIMIT_PER_ADDRESS: limit(
    RATE_LIMIT_DEFAULTS.RATE_LIMIT_PER_ADDRESS,
    "signups an hour",
    `With different spellings of one mailbox (\`+tag\`, and dots where its provider ignores them); 0: unlimited. Default: ${RATE_LIMIT_DEFAULTS.RATE_LIMIT_PER_ADDRESS}.`,
  ),
  RATE_LIMIT_PER_DOMAIN: limit(
    RATE_LIMIT_DEFAULTS.RATE_LIMIT_PER_DOMAIN,
    "signups an hour",
    `With addresses of one domain, unless it is a large provider's such as gmail.com; 0: unlimited. Default: ${RATE_LIMIT_DEFAULTS.RATE_LIMIT_PER_DOMAIN}, ${NOT_PRIVATE}.`,
  ),
  RATE_LIMIT_GLOBAL: limit(
    RATE_LIMIT_DEFAULTS.RATE_LIMIT_GLOBAL,
    "signups a minute",
    `Of everybody together; 0: unlimited. Default: ${RATE_LIMIT_DEFAULTS.RATE_LIMIT_GLOBAL}, ${NOT_PRIVATE}.`,
  ),
};
