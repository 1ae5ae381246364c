import { createPublicKey, type KeyObject } from "node:crypto";
import { type DkimKey, dkimKeysOf, domainOf } from "../../runtime/dkim-keys.ts";
import type { Settings } from "../../settings/load.ts";
import type { Check } from "./diagnosis.ts";
import type { DnsRecords } from "./dns-records.ts";
import { readSpf } from "./spf.ts";

const ok = (name: string, finding: string): Check => ({ name, verdict: "ok", finding });
const warn = (name: string, finding: string, remedy: string): Check => ({ name, verdict: "warn", finding, remedy });
const skipped = (name: string, finding: string): Check => ({ name, verdict: "skipped", finding });
const away = (name: string, why: string): Check => skipped(name, `not checked: DNS does not answer (${why})`);

const PAGE = "see docs/mail-identity.md";
/** Of all questions together, in ms. */
const WITHIN_MS = 6_000;
/** Names that no DNS has (RFC 2606, RFC 6761), and those without a dot. */
const LOCAL = /(?:^|\.)(?:example|invalid|localhost|local|test|internal)$|^[^.]*$/i;

type MailSettings = Parameters<typeof dkimKeysOf>[0] & Pick<Settings, "MAIL_BOUNCE_ADDRESS">;

const checkSpf = async (dns: DnsRecords, domain: string): Promise<Check> => {
  const name = `SPF of ${domain}`;
  const spf = await readSpf(dns, domain);
  if (spf.kind === "away") return away(name, spf.why);
  if (spf.kind === "none")
    return warn(name, "no record", "publish one that names your mail server: v=spf1 include:... -all");
  if (spf.faults.length > 0) return warn(name, spf.faults.join("; "), `correct the record: ${spf.record}`);
  return ok(name, `${spf.record} (look-ups: ${spf.lookups})`);
};

/** The tags of a record: `v=DKIM1; k=rsa; p=...`. */
const tagsOf = (record: string): ReadonlyMap<string, string> =>
  new Map(
    record.split(";").flatMap((tag): [string, string][] => {
      const [name = "", ...value] = tag.split("=");
      return name.trim() === "" ? [] : [[name.trim().toLowerCase(), value.join("=").replaceAll(/\s/g, "")]];
    }),
  );

/** What `p=` has to say: RSA in either of two forms, Ed25519 as its 32 bytes. */
const publicForms = (privateKey: KeyObject): readonly string[] => {
  const key = createPublicKey(privateKey);
  const spki = key.export({ format: "der", type: "spki" });
  return key.asymmetricKeyType === "ed25519"
    ? [spki.subarray(-32).toString("base64")]
    : [spki.toString("base64"), key.export({ format: "der", type: "pkcs1" }).toString("base64")];
};

const GOOD_RSA_BITS = 2_048;

const checkDkim = async (dns: DnsRecords, { domain, selector, privateKey }: DkimKey): Promise<Check> => {
  const host = `${selector}._domainkey.${domain}`;
  const name = `DKIM ${selector}`;
  const answer = await dns.txt(host);
  if (answer.kind === "away") return away(name, answer.why);
  const [expected = ""] = publicForms(privateKey);
  const type = privateKey.asymmetricKeyType === "ed25519" ? "ed25519" : "rsa";
  const publish = `publish at ${host}: v=DKIM1; k=${type}; p=${expected}`;
  // A selector has one record. Generators of keys split it anywhere, and its parts may come as records of their own.
  const record = answer.kind === "found" ? answer.records.join("") : "";
  if (!/\bp=/.test(record)) return warn(name, `no record at ${host}: signatures do not verify`, publish);
  const tags = tagsOf(record);
  const published = tags.get("p") ?? "";
  if (published === "") return warn(name, `the key at ${host} is revoked`, publish);
  if (!publicForms(privateKey).includes(published) || (tags.get("k") ?? "rsa") !== type) {
    return warn(name, `the key at ${host} is not the one that signs`, publish);
  }
  if ((tags.get("t") ?? "").split(":").includes("y")) {
    return warn(name, "the record says that it is a test (t=y)", `remove t=y at ${host}`);
  }
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? GOOD_RSA_BITS;
  if (bits < GOOD_RSA_BITS) return warn(name, `RSA of ${bits} bits`, "replace it by one of 2048 bits");
  return ok(name, `the key at ${host} is the one that signs`);
};

/** The domain, then those above it, without the last label: a record of one above holds, too. */
const upwards = (domain: string): readonly string[] => {
  const labels = domain.split(".");
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join("."));
};

const checkDmarc = async (dns: DnsRecords, domain: string): Promise<Check> => {
  const name = `DMARC of ${domain}`;
  for (const each of upwards(domain)) {
    const answer = await dns.txt(`_dmarc.${each}`);
    if (answer.kind === "away") return away(name, answer.why);
    const records = answer.kind === "found" ? answer.records.filter((text) => /^v=DMARC1\b/i.test(text)) : [];
    if (records.length > 1)
      return warn(name, `${records.length} records, and so none counts`, `keep one at _dmarc.${each}`);
    const policy = tagsOf(records[0] ?? "")
      .get("p")
      ?.toLowerCase();
    if (records.length === 0) continue;
    if (policy === "quarantine" || policy === "reject") return ok(name, `p=${policy}`);
    const finding = policy === "none" ? "p=none: forged mails are delivered all the same" : "a record without a policy";
    return warn(name, finding, "set p=quarantine or p=reject once the reports are clean");
  }
  return warn(name, "no record", `publish at _dmarc.${domain}: v=DMARC1; p=quarantine; rua=mailto:...`);
};

const checkMx = async (dns: DnsRecords, domain: string, what: string): Promise<Check> => {
  const name = `MX of ${domain}`;
  const answer = await dns.mx(domain);
  if (answer.kind === "away") return away(name, answer.why);
  if (answer.kind === "found") {
    const [first = ""] = answer.records;
    // RFC 7505
    if (first === "" || first === ".") return warn(name, `it takes no mail, so ${what} are lost`, PAGE);
    return ok(name, first);
  }
  const addresses = await dns.addresses(domain);
  return addresses.kind === "found"
    ? ok(name, `none; its address takes mail: ${addresses.records[0]}`)
    : warn(name, `none, so ${what} are lost`, "publish an MX, or choose another domain");
};

const isUnder = (domain: string, other: string): boolean => domain === other || domain.endsWith(`.${other}`);

/** DMARC asks that the domain that signs, or that of the envelope, is the sender's, or above or below it. */
const checkAlignment = (from: string, envelope: string, keys: readonly DkimKey[]): Check => {
  const name = "DMARC alignment";
  const aligned = [...keys.map(({ domain }) => domain), envelope].find(
    (domain) => isUnder(domain, from) || isUnder(from, domain),
  );
  return aligned === undefined
    ? warn(
        name,
        `neither DKIM nor the envelope is of ${from}`,
        "set MAIL_DKIM_DOMAIN or MAIL_BOUNCE_ADDRESS to its domain",
      )
    : ok(name, `by ${aligned}`);
};

const within = async (ms: number, checks: Promise<readonly Check[]>): Promise<readonly Check[]> => {
  const { promise, resolve } = Promise.withResolvers<readonly Check[]>();
  const timer = setTimeout(() => resolve([away("mail in DNS", `not within ${ms} ms`)]), ms);
  try {
    return await Promise.race([checks, promise]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Judges what DNS says of the sender: SPF, DKIM, DMARC, and where mail to it goes. Never fails, because mails are sent all the
 * same, and because DNS may be out of reach from here.
 */
export const checkMailDns = async (
  settings: MailSettings,
  dns: DnsRecords,
  withinMs: number = WITHIN_MS,
): Promise<readonly Check[]> => {
  const name = "mail in DNS";
  if (settings.MAIL_FROM === undefined) return [skipped(name, "not checked: MAIL_FROM is not set")];
  const from = domainOf(settings.MAIL_FROM).toLowerCase();
  const envelope = domainOf(settings.MAIL_BOUNCE_ADDRESS ?? settings.MAIL_FROM).toLowerCase();
  if (LOCAL.test(from)) return [skipped(name, `not checked: ${from} is no name of the public DNS`)];
  const keys = dkimKeysOf(settings);
  const dkim =
    keys.length === 0
      ? [skipped("DKIM", "not checked: MAIL_DKIM_SELECTOR is not set; does the mail server sign?")]
      : keys.map((key) => checkDkim(dns, key));
  return within(
    withinMs,
    Promise.all([
      checkSpf(dns, envelope),
      ...dkim,
      checkDmarc(dns, from),
      ...(keys.length === 0 && envelope !== from ? [] : [checkAlignment(from, envelope, keys)]),
      checkMx(dns, from, "replies"),
      ...(envelope === from ? [] : [checkMx(dns, envelope, "bounces")]),
    ]),
  );
};
