import type { DnsRecords } from "./dns-records.ts";

/** What an SPF record (RFC 7208) says, its includes followed. */
export type Spf =
  | { readonly kind: "found"; readonly record: string; readonly lookups: number; readonly faults: readonly string[] }
  | { readonly kind: "none" }
  | { readonly kind: "away"; readonly why: string };

/** Look-ups that a verifier makes, at most (RFC 7208, 4.6.4). */
export const MAX_SPF_LOOKUPS = 10;

const ASKS = /^(?:include:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr(?::|$)|exists:|redirect=)/i;
const NAMES_A_SERVER = /^(?:ip4:|ip6:|include:|a(?:[:/]|$)|mx(?:[:/]|$)|exists:|redirect=)/i;
const FOLLOWED = /^(?:include:|redirect=)(.+)$/i;

const recordsOf = (texts: readonly string[]): readonly string[] => texts.filter((text) => /^v=spf1(?: |$)/i.test(text));

const termsOf = (record: string): readonly string[] =>
  record
    .split(/ +/)
    .slice(1)
    .map((term) => term.replace(/^[+?~-](?!all$)/, ""));

/** Reads the record of a domain; gives up where a verifier would. */
export const readSpf = async (dns: DnsRecords, domain: string): Promise<Spf> => {
  const faults: string[] = [];
  let lookups = 0;
  let away: string | undefined;

  const follow = async (name: string, isFirst: boolean): Promise<string | undefined> => {
    const answer = await dns.txt(name);
    if (answer.kind === "away") away ??= answer.why;
    const records = answer.kind === "found" ? recordsOf(answer.records) : [];
    const [record] = records;
    if (records.length > 1) faults.push(`${name} has ${records.length} records, and so none counts`);
    if (record === undefined) {
      if (!isFirst && answer.kind !== "away") faults.push(`${name} is included and has no record`);
      return undefined;
    }
    for (const term of termsOf(record)) {
      if (!ASKS.test(term)) continue;
      lookups += 1;
      if (lookups > MAX_SPF_LOOKUPS) return record;
      const next = FOLLOWED.exec(term)?.[1];
      // A macro depends on the mail.
      if (next !== undefined && !next.includes("%")) await follow(next, false);
    }
    return record;
  };

  const record = await follow(domain, true);
  if (away !== undefined) return { kind: "away", why: away };
  if (record === undefined) return { kind: "none" };
  const terms = termsOf(record);
  if (lookups > MAX_SPF_LOOKUPS) faults.push(`more than ${MAX_SPF_LOOKUPS} look-ups, and so it does not count`);
  if (terms.includes("+all") || terms.includes("all")) faults.push("it lets everybody send");
  if (!terms.some((term) => NAMES_A_SERVER.test(term))) faults.push("it names no server that may send");
  return { kind: "found", record, lookups, faults };
};
