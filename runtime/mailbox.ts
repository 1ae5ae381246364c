import { domainToASCII } from "node:url";
import { FASTMAIL_DOMAINS } from "./fastmail-domains.ts";

/** How a provider reads the addresses of its mailboxes. */
interface Provider {
  /** Its domains. */
  readonly domains: readonly string[];
  /** An address in any of them is the same mailbox; this one stands for all. */
  readonly namespace?: string;
  /** Characters of the local part that it ignores. */
  readonly ignored?: RegExp;
  /** What begins a tag, beside `+`. */
  readonly tagFrom?: string;
  /** Mail to `anything@name.domain` is mail to `name@domain`. */
  readonly hasSubdomains?: boolean;
}

/** Where Yahoo has mailboxes. */
export const YAHOO_DOMAINS = [
  "yahoo.com",
  ...["yahoo.com.vn", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.it", "yahoo.es", "yahoo.ca", "yahoo.in"],
  ...["yahoo.co.in", "yahoo.com.au", "yahoo.com.br", "ymail.com", "rocketmail.com", "myyahoo.com"],
  ...["yahoo.com.sg", "yahoo.com.ph", "yahoo.com.my", "yahoo.co.id", "yahoo.co.th", "yahoo.com.hk", "yahoo.com.tw"],
  ...["yahoo.com.mx", "yahoo.com.ar", "yahoo.ie", "yahoo.se", "yahoo.pl", "yahoo.gr", "yahoo.ro", "yahoo.co.nz"],
] as const;

/** Providers that publish how they fold addresses. `+tag` is left out for every domain: who reads it otherwise is rare. */
const PROVIDERS: readonly Provider[] = [
  { domains: ["gmail.com", "googlemail.com"], namespace: "gmail.com", ignored: /\./g },
  { domains: ["proton.me", "protonmail.com", "protonmail.ch", "pm.me"], namespace: "proton.me", ignored: /[._-]/g },
  { domains: ["icloud.com", "me.com", "mac.com"], namespace: "icloud.com" },
  {
    domains: ["yandex.com", "yandex.ru", "ya.ru", "yandex.by", "yandex.kz", "yandex.ua", "yandex.uz", "yandex.com.tr"],
    namespace: "yandex.com",
    ignored: /[.-]/g,
  },
  // Outlook, Hotmail and Live have a namespace for each domain, and no rule but `+tag`: nothing is to be said of them.
  {
    domains: YAHOO_DOMAINS,
    // No name at Yahoo has a hyphen: what has one is a disposable address.
    tagFrom: "-",
  },
  { domains: FASTMAIL_DOMAINS, hasSubdomains: true },
];
const BY_DOMAIN = new Map(
  PROVIDERS.flatMap((provider) => provider.domains.map((domain) => [domain, provider] as const)),
);

interface Parts {
  readonly local: string;
  /** In ASCII and lower case. */
  readonly domain: string;
  readonly provider?: Provider | undefined;
}

/** `shops@name.fastmail.com` -> `name@fastmail.com`. */
const withoutSubdomain = ({ local, domain }: Parts): Parts => {
  const dot = domain.indexOf(".");
  const parent = domain.slice(dot + 1);
  const hasSubdomains = dot > 0 && BY_DOMAIN.get(parent)?.hasSubdomains === true;
  return hasSubdomains ? { local: domain.slice(0, dot), domain: parent } : { local, domain };
};

const ASCII = /^[\0-\x7f]*$/;
const ASCII_DOMAIN = /^[a-z0-9.-]+$/;

const partsOf = (address: string): Parts => {
  const text = (ASCII.test(address) ? address : address.normalize("NFKC")).trim().toLowerCase();
  const at = text.lastIndexOf("@");
  const written = text.slice(at + 1, text.endsWith(".") ? -1 : undefined);
  const ascii = ASCII_DOMAIN.test(written) ? written : domainToASCII(written) || written;
  const { local, domain } = withoutSubdomain({ local: text.slice(0, Math.max(0, at)), domain: ascii });
  const provider = BY_DOMAIN.get(domain);
  return { local, domain: provider?.namespace ?? domain, provider };
};

/** What comes before the first of some character, unless that is nothing. */
const before = (local: string, character: string): string =>
  local.slice(0, Math.max(0, local.indexOf(character))) || local;

/** The domain of an address as its provider knows it: `googlemail.com` is `gmail.com`. In ASCII, lower case. */
export const mailDomain = (address: string): string => partsOf(address).domain;

/**
 * The mailbox in which mail to an address ends up, as far as that is known from the address: case and `+tag` do not matter, nor,
 * at known providers, dots and the like. Two addresses of one mailbox give the same text. To be compared, not to be mailed to.
 */
export const canonicalMailbox = (address: string): string => mailboxOf(address).mailbox;

/** Both at once: `canonicalMailbox`, and its `mailDomain`. */
export const mailboxOf = (address: string): { readonly mailbox: string; readonly domain: string } => {
  const { local, domain, provider } = partsOf(address);
  const bare = before(local, "+");
  const untagged = provider?.tagFrom === undefined ? bare : before(bare, provider.tagFrom);
  const folded = provider?.ignored === undefined ? untagged : untagged.replace(provider.ignored, "") || untagged;
  return { mailbox: `${folded}@${domain}`, domain };
};
