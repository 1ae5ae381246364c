import { domainToASCII } from "node:url";

/** Most addresses and names: none of its characters has another form. */
const ASCII = /^[\0-\x7f]*$/;

/**
 * The key by which names and addresses are compared: canonical composition (NFC), case folded, in code: `lower()` in SQL
 * depends on the database's locale, and leaves `Đ` as it is under `C`. Upper case first, which unites `σ` and `ς`, `ß` and `ẞ`.
 */
export const comparisonKey = (text: string): string =>
  ASCII.test(text) ? text.toLowerCase() : text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");

/** The key by which user names are compared: full width and other compatibility forms are the same name, too (NFKC). */
export const nameKey = (name: string): string => comparisonKey(name.normalize("NFKC"));

/**
 * The key of a mail address as somebody writes it: a signup stores the domain in ASCII (`xn--bcher-kva.example`), and people write `bücher.example`. Of what
 * is no address it is the `comparisonKey`.
 */
export const keyOfAddress = (text: string): string => {
  const at = text.lastIndexOf("@");
  if (ASCII.test(text) || at < 0) return comparisonKey(text);
  const domain = domainToASCII(text.slice(at + 1).normalize("NFC"));
  return comparisonKey(domain === "" ? text : `${text.slice(0, at)}@${domain}`);
};
