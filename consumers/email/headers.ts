import { domainToASCII } from "node:url";

/**
 * A line with an encoded-word may have 76 characters (RFC 2047 §2): `Subject: ` takes 9, `=?UTF-8?B?` and `?=` 12, and three
 * bytes make four characters.
 */
const MAX_ENCODED_BYTES = 39;

/**
 * A header value in encoded-words (RFC 2047), folded with one word a line; no code point is cut in two. Plain words are not
 * encoded. The result never contains a line break of the value.
 */
export const encodeWords = (text: string): string => {
  if (/^[A-Za-z0-9]+( [A-Za-z0-9]+)*$/.test(text) && text.length <= 50) return text;
  const words: string[] = [];
  let chunk = "";
  let bytes = 0;
  for (const character of text.toWellFormed()) {
    const size = Buffer.byteLength(character);
    if (bytes + size > MAX_ENCODED_BYTES) {
      words.push(chunk);
      chunk = "";
      bytes = 0;
    }
    chunk += character;
    bytes += size;
  }
  words.push(chunk);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString("base64")}?=`).join("\r\n ");
};

/** `Name <address>`, folded where it is long; the address must come from `wireAddress`. */
export const mailbox = (name: string, address: string): string => {
  if (name === "") return address;
  const words = encodeWords(name);
  return `${words}${words.length + address.length > 60 ? "\r\n" : ""} <${address}>`;
};

/** RFC 5322 §3.3, in UTC. */
export const mailDate = (date: Date): string => date.toUTCString().replace("GMT", "+0000");

export type WireAddress =
  | { readonly kind: "address"; readonly address: string; readonly domain: string }
  | { readonly kind: "unusable"; readonly reason: "invalid_address" | "address_needs_smtputf8" };

/** Letters, marks, digits, dots, hyphens. `domainToASCII` accepts more, as URLs do: `c.example/x` would become `c.example`. */
const UNICODE_DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
/** Names in DNS (RFC 1035 §2.3.1; underscores exist), the last of which is not a number: an IP address is not a domain. */
const ASCII_DOMAIN =
  /^(?=.{1,253}$)(?!.*(?:^|\.)\d+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Empty if it is not a domain. IDNA applies to non-ASCII domains only; ASCII ones are lower-cased. */
const asciiDomain = (domain: string): string => {
  const isPlain = /^\p{ASCII}*$/u.test(domain);
  const ascii = isPlain ? domain.toLowerCase() : UNICODE_DOMAIN.test(domain) ? domainToASCII(domain) : "";
  return ASCII_DOMAIN.test(ascii) ? ascii : "";
};

const LOCAL_PART = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;

/**
 * The address as it may stand in the envelope: one mailbox, its domain in ASCII (IDNA). It is validated again after the
 * API, because here a comma or a line break would mean another recipient. A non-ASCII local part requires SMTPUTF8 (RFC 6531)
 * of every server on the way, and is refused.
 */
export const wireAddress = (email: string): WireAddress => {
  const at = email.lastIndexOf("@");
  const local = email.slice(0, at);
  const domain = asciiDomain(email.slice(at + 1));
  const length = local.length + 1 + domain.length;
  if (at < 1 || domain === "" || length > 254 || /[\p{Cc}\s<>,;:"()[\]\\]/u.test(email)) {
    return { kind: "unusable", reason: "invalid_address" };
  }
  if (/\P{ASCII}/u.test(local)) return { kind: "unusable", reason: "address_needs_smtputf8" };
  if (!LOCAL_PART.test(local)) return { kind: "unusable", reason: "invalid_address" };
  return { kind: "address", address: `${local}@${domain}`, domain };
};
