import { hmacSha256 } from "../../runtime/hmac.ts";
import { canonicalMailbox, mailDomain } from "../../runtime/mailbox.ts";
import type { Settings } from "../../settings/load.ts";
import type { Quota } from "../engine/quotas.ts";

export type CapSettings = Pick<Settings, "MAIL_CAP_PER_RECIPIENT" | "MAIL_CAP_PER_DOMAIN">;

const HOUR_MS = 3_600_000;
const NAME_BYTES = 16;

/**
 * The quotas that a mail to an address uses: none that is off. Their names stand in Redis: without `key` nobody can find out of
 * which mailbox they are.
 */
export const capsOf = (settings: CapSettings, key: Buffer, email: string): readonly Quota[] => {
  const quota = (reason: string, limit: number, counted: (email: string) => string): readonly Quota[] => {
    if (limit === 0) return [];
    const digest = hmacSha256(key, `${reason} ${counted(email)}`).subarray(0, NAME_BYTES);
    return [{ name: digest.toString("base64url"), limit, windowMs: HOUR_MS, reason }];
  };
  return [
    ...quota("recipient_cap", settings.MAIL_CAP_PER_RECIPIENT, canonicalMailbox),
    ...quota("domain_cap", settings.MAIL_CAP_PER_DOMAIN, mailDomain),
  ];
};
