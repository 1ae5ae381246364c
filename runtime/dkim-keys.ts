import type { KeyObject } from "node:crypto";
import type { Settings } from "../settings/load.ts";

/** A key that signs mails; its public part is in DNS, at `<selector>._domainkey.<domain>`. */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: KeyObject;
}

type KeySettings = Pick<
  Settings,
  | "MAIL_FROM"
  | "MAIL_DKIM_DOMAIN"
  | "MAIL_DKIM_SELECTOR"
  | "MAIL_DKIM_PRIVATE_KEY"
  | "MAIL_DKIM_SECOND_SELECTOR"
  | "MAIL_DKIM_SECOND_PRIVATE_KEY"
>;

/** The domain of an address, as it is written there. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1);

/** The keys that sign mails, of which there may be none. */
export const dkimKeysOf = (settings: KeySettings): readonly DkimKey[] => {
  const domain = settings.MAIL_DKIM_DOMAIN ?? domainOf(settings.MAIL_FROM ?? "").toLowerCase();
  const pairs = [
    [settings.MAIL_DKIM_SELECTOR, settings.MAIL_DKIM_PRIVATE_KEY],
    [settings.MAIL_DKIM_SECOND_SELECTOR, settings.MAIL_DKIM_SECOND_PRIVATE_KEY],
  ] as const;
  return pairs.flatMap(([selector, privateKey]) =>
    selector === undefined || privateKey === undefined ? [] : [{ domain, selector, privateKey }],
  );
};
