/** A name is cut after so many code points: most are shorter, and what is longer is no greeting. */
const LONGEST = 40;
/** Digits of the shortest telephone number with its area code. */
const PHONE_DIGITS = 7;

/** Dots as domains are written with them (UTS 46 reads all of these as a full stop). */
const DOT = "[.\\u3002\\uFF0E\\uFF61]";
const UNIT =
  "đ|₫|d|k|tr|triệu|trieu|tỷ|tỉ|ty|nghìn|ngàn|đồng|dong|vnd|vnđ|usd|usdt|eur|euros?|gbp|dollars?|bucks|btc|eth|%";

/** What a mail client makes a link of, or what reads like an offer: in a name as people see it, in one line. */
const SUSPICIOUS: readonly RegExp[] = [
  // An address of mail; a scheme, such as `https:` or `tel:`; what follows a host.
  /@/,
  /\p{L}:\S/u,
  /\/\/|\\\\/,
  // Words joined by a dot, but for initials: `evil.example`, `www.x.y`, `t.me`, `192.0.2.1`.
  new RegExp(`[\\p{L}\\p{M}\\p{N}]{2}${DOT}[\\p{L}\\p{N}]`, "u"),
  new RegExp(`\\S${DOT}[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}]`, "u"),
  new RegExp(`\\p{N}${DOT}|${DOT}\\p{N}`, "u"),
  /\bwww\b/i,
  // An amount: a sign of money, a number with a unit, grouped digits.
  /\p{Sc}/u,
  new RegExp(`\\p{N}\\s*(?:${UNIT})(?![\\p{L}\\p{N}])`, "iu"),
  /(?<![\p{L}\p{N}])(?:vnd|vnđ|usd|usdt|eur|gbp|btc|eth)\s*\p{N}/iu,
  /\p{N}[,'’]\p{N}/u,
  // A number by itself, or what may be dialled.
  /(?<![\p{L}\p{N}])\p{N}{3,}(?![\p{L}\p{N}])/u,
  /\+\s*\p{N}/u,
];

const countOf = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** In one line, without what cannot be seen. */
const visible = (name: string): string =>
  name
    .toWellFormed()
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/[\p{Cf}\p{Co}\p{Cn}]+/gu, "")
    .trim();

/** `J.R.R. Tolkien` -> `J. R. R. Tolkien`: no dot joins two words. */
const withSpacedInitials = (name: string): string => name.replace(/\.(?=\p{L})/gu, ". ");

const shortened = (name: string): string => {
  const characters = [...name];
  return characters.length <= LONGEST ? name : `${characters.slice(0, LONGEST).join("").trimEnd()}…`;
};

/**
 * A user's name as a mail may show it in its greeting; undefined: it must not, and the greeting is neutral. A name is somebody's text
 * under our sender: whoever signs up with a stranger's address chooses it. What reads as an address on the web or of mail, a telephone
 * number or an amount of money is not shown, and of what is, mail clients make no link.
 */
export const shownName = (name: string): string | undefined => {
  const text = visible(name);
  // Full width and the like are the same to readers, and to some of the programs that make links.
  const folded = text.normalize("NFKC");
  const isSuspicious = SUSPICIOUS.some((pattern) => pattern.test(text) || pattern.test(folded));
  if (isSuspicious || countOf(folded, /\p{N}/gu) >= PHONE_DIGITS) return undefined;
  return /[\p{L}\p{N}]/u.test(text) ? shortened(withSpacedInitials(text)) : undefined;
};
