import { Resolver } from "node:dns/promises";

/** Records of one name; `none` if there are none, or no such name; `away` if no server answered. */
export type Records<Each> =
  | { readonly kind: "found"; readonly records: readonly Each[] }
  | { readonly kind: "none" }
  | { readonly kind: "away"; readonly why: string };

/** What is asked of DNS. The strings of a TXT record are joined. */
export interface DnsRecords {
  txt(name: string): Promise<Records<string>>;
  mx(name: string): Promise<Records<string>>;
  addresses(name: string): Promise<Records<string>>;
}

/** Limit of one question, in ms. */
const TIMEOUT_MS = 2_000;
const NONE = new Set(["ENODATA", "ENOTFOUND"]);

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

const recordsOf = async <Each>(asked: Promise<readonly Each[]>): Promise<Records<Each>> => {
  try {
    const records = await asked;
    return records.length === 0 ? { kind: "none" } : { kind: "found", records };
  } catch (error) {
    const why = codeOf(error);
    return NONE.has(why) ? { kind: "none" } : { kind: "away", why };
  }
};

/** The most that one string of a TXT record can hold; a longer record goes on in the next (RFC 1035, 3.3.14). */
const WHOLE_STRING = 255;

/** Bun 1.4 returns each string of a record as a record: one that follows a full string is its rest. */
const rejoined = (records: readonly (readonly string[])[]): readonly string[] => {
  const whole: string[] = [];
  let isOpen = false;
  for (const strings of records) {
    const text = strings.join("");
    const last = whole.at(-1);
    if (isOpen && last !== undefined) whole[whole.length - 1] = last + text;
    else whole.push(text);
    isOpen = strings.at(-1)?.length === WHOLE_STRING;
  }
  return whole;
};

/** Asks the servers of the system, or those given, as `address` or `address:port`. */
export const openDns = (servers?: readonly string[]): DnsRecords => {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    txt: (name) => recordsOf(resolver.resolveTxt(name).then(rejoined)),
    mx: (name) =>
      recordsOf(
        resolver
          .resolveMx(name)
          .then((records) =>
            records.toSorted((one, other) => one.priority - other.priority).map(({ exchange }) => exchange),
          ),
      ),
    addresses: async (name) => {
      const ipv4 = await recordsOf(resolver.resolve4(name));
      return ipv4.kind === "none" ? recordsOf(resolver.resolve6(name)) : ipv4;
    },
  };
};
