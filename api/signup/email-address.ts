import { domainToASCII } from "node:url";
import { z } from "zod";
import type { FaultCode } from "../faults.ts";

/** RFC 5321, 4.5.3.1: a path has 256 octets, its angle brackets included. */
const MAX_ADDRESS = 254;
const MAX_LOCAL_PART = 64;

/** Letters, marks, digits, dots, hyphens: a domain name as people write it. `domainToASCII` accepts far more. */
const UNICODE_DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
const NOT_ASCII = /[^\p{ASCII}]/u;
/** Anything that would make it a list, a comment, or a quoted or bracketed form. */
const OUTSIDE_DOT_ATOM = /[\s@,:;<>()[\]\\"\p{Cc}]/u;
/** Never first, last or doubled: RFC 5322, 3.2.3. */
const MISPLACED_DOT = /^\.|\.\.|\.$/;
/** `user%host@relay` and `host!user@relay` once asked a relay to forward a mail. No address has this form today. */
const SOURCE_ROUTE = /[%!]/;
/** At least two labels, and the last is not a number: neither `localhost` nor an IP address. */
const PUBLIC_DOMAIN = /\.(?=[a-z0-9-]*[a-z])[a-z0-9-]+$/;

const toAsciiDomain = (domain: string): string => {
  if (!NOT_ASCII.test(domain) && !/xn--/i.test(domain)) return domain.toLowerCase();
  return UNICODE_DOMAIN.test(domain) ? domainToASCII(domain.normalize("NFC")).toLowerCase() : "";
};

export type ParsedEmailAddress = { readonly address: string } | { readonly fault: FaultCode };

/**
 * Parses one mail address as people type it: trimmed, the domain in lower case and in ASCII (`bücher.example` becomes
 * `xn--bcher-kva.example`), the local part as it is.
 *
 * The rule is the one of `<input type=email>` (WHATWG HTML, by way of zod), so that form and API agree, minus what mail
 * servers reject or should not be sent: misplaced dots, source routes, hosts without a public name. No lists, comments,
 * quoted local parts or IP literals. Non-ASCII local parts would need SMTPUTF8 (RFC 6531) on every hop.
 */
export const parseEmailAddress = (typed: string): ParsedEmailAddress => {
  const text = typed.trim();
  if (text.length > MAX_ADDRESS) return { fault: "email_too_long" };
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(0, at));
  if (OUTSIDE_DOT_ATOM.test(local)) return { fault: "email_invalid" };
  if (NOT_ASCII.test(local)) return { fault: "email_local_part_not_ascii" };
  const typedDomain = text.slice(at + 1);
  const domain = toAsciiDomain(typedDomain);
  const address = domain === typedDomain && at >= 0 ? text : `${local}@${domain}`;
  const isUsable =
    z.regexes.html5Email.test(address) &&
    local.length <= MAX_LOCAL_PART &&
    !MISPLACED_DOT.test(local) &&
    !SOURCE_ROUTE.test(local) &&
    PUBLIC_DOMAIN.test(domain);
  if (!isUsable) return { fault: "email_invalid" };
  return address.length > MAX_ADDRESS ? { fault: "email_too_long" } : { address };
};
