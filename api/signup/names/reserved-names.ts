import { CONFUSABLE_LETTERS } from "./confusable-letters.ts";

/** Who runs a service: names that readers would trust. Compared as `lookOf` sees them. */
const RESERVED = [
  // RFC 2142, 3 to 6.
  ["info", "marketing", "sales", "support", "abuse", "noc", "security"],
  ["postmaster", "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp"],
  // Who can have certificates issued (CA/Browser Forum, Baseline Requirements, 3.2.2.4.4), and system accounts.
  ["admin", "administrator", "sysadmin", "sysop", "root", "superuser", "system", "daemon", "mailer-daemon", "nobody"],
  ["no-reply", "do-not-reply", "bounces", "ssl-admin", "ssl-administrator", "ssl-webmaster"],
  // People of the service.
  ["moderator", "operator", "owner", "staff", "official", "team", "help", "helpdesk", "help-center", "contact"],
  ["customer-service", "customer-support", "billing", "payment", "payments", "accounts", "privacy", "legal"],
  ["админ", "администратор", "модератор", "поддержка", "管理员", "管理員", "管理者", "客服", "관리자", "운영자"],
  ["quản trị", "quản trị viên", "ban quản trị", "hỗ trợ", "hỗ trợ khách hàng", "chăm sóc khách hàng", "bảo mật"],
].flat();

/** Where alphabets of enclosed letters begin that compatibility leaves alone: 🅐, 🅰, and the letters of flags. */
const ENCLOSED = [0x1f150, 0x1f170, 0x1f1e6] as const;
const SMALL_CAPITALS = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
/** Cyrillic that readers take for Latin in a word that is otherwise a look-alike, though UTS 39 does not: `аԁміп`, `ѕирроrт`. */
const CYRILLIC: Readonly<Record<string, string>> = {
  b: "вВ",
  d: "дД",
  h: "нН",
  k: "кК",
  l: "лЛ",
  m: "мМ",
  n: "пПиИй",
  r: "яЯгГ",
  t: "тТ",
  u: "цЦ",
  w: "щЩ",
  y: "чЧ",
};
const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

const lookalikes = (): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(CONFUSABLE_LETTERS).flatMap(([letters, characters]) =>
      [...characters].map((character) => [character, letters] as const),
    ),
    ...Object.entries(CYRILLIC).flatMap(([letter, characters]) =>
      [...characters].map((character) => [character, letter] as const),
    ),
    ...[...SMALL_CAPITALS].map((character, index) => [character, ALPHABET.charAt(index)] as const),
    ...ENCLOSED.flatMap((first) =>
      [...ALPHABET].map((letter, index) => [String.fromCodePoint(first + index), letter] as const),
    ),
  ]);

const BETWEEN_WORDS = /[^\p{L}\p{N}\p{M}\p{So}|]+/u;
/** Words that say nothing of who somebody is: articles, and the end of a domain. */
const EMPTY_WORDS = ["the", "our", "com", "net", "org", "vn", "app", "io"];
/** These, symbols and numbers; also what is left at the ends of a name. */
const SAYS_NOTHING = new RegExp(`^(?:[\\p{N}\\p{So}]*|${EMPTY_WORDS.join("|")})$`, "iu");
const NUMBER_AT_END = /\p{N}+$/u;

const NOT_ASCII = /[^\0-\x7f]/;
const EACH_NOT_ASCII = /[^\0-\x7f]/gu;
// Made once: a literal within a function is an object at each call.
const EACH_UNREAD = /[^a-z0-9|]+/g;
const EACH_UNREAD_OF_ANY_SCRIPT = /[^\p{L}\p{N}|]+/gu;
const SUBSTITUTED = /[@4!357$](?!$)/;
const EACH_SUBSTITUTED = /[@4!357$](?!$)/g;
const AS_LETTERS: Readonly<Record<string, string>> = {
  "@": "a",
  "4": "a",
  "!": "l",
  "3": "e",
  "5": "s",
  "7": "t",
  $: "s",
};
const EACH_LIKE_L = /[i1|]/g;

/** Characters by which a name's beginning is looked at: nothing that comes after them changes how they are read. */
const BEGINNING = 3;
const BEGINS_PLAINLY = /^[a-z][a-z0-9]{2}/i;
/** With what follows it may be an `m`. */
const MAY_BE_M = /rn|r$/;
/** One for all that any reading takes for each other. */
const EACH_READ_ALIKE = /[i1|04357]/g;
const READ_ALIKE: Readonly<Record<string, string>> = {
  i: "l",
  1: "l",
  "|": "l",
  0: "o",
  4: "a",
  3: "e",
  5: "s",
  7: "t",
};
const readAlike = (sign: string): string => READ_ALIKE[sign] ?? sign;
const beginningOf = (look: string): string => look.slice(0, BEGINNING).replace(EACH_READ_ALIKE, readAlike);

export interface ReservedNames {
  /**
   * Whether a name looks like one that is reserved: `ａｄｍｉｎ`, `Ádmin`, `а.dmin` with a Cyrillic `а`, `r00t`, `@dm!n`, `admin24`; or like several of
   * them, with articles, numbers and the end of a domain: `the Toblug Support`, `Security Team 2`, `toblug.com`.
   */
  has(name: string): boolean;
}

/** `own`: further reserved names, such as the product's. */
export const createReservedNames = (own: readonly string[]): ReservedNames => {
  const table = lookalikes();
  const bare = (text: string) => (NOT_ASCII.test(text) ? text.normalize("NFKD").replace(/\p{M}+/gu, "") : text);
  const asLetters = (text: string) => text.replace(EACH_NOT_ASCII, (character) => table.get(character) ?? character);

  /**
   * What is left of a name for a reader who does not look closely (after UTS 39, 4): no marks, case, spaces or punctuation,
   * ASCII for what looks like it, and one letter for each group of letters and digits that look alike.
   */
  const lookOf = (name: string): string => {
    const isAscii = !NOT_ASCII.test(name);
    const look = isAscii ? name.toLowerCase() : bare(asLetters(bare(asLetters(name)).toLowerCase()));
    return look
      .replace(isAscii || !NOT_ASCII.test(look) ? EACH_UNREAD : EACH_UNREAD_OF_ANY_SCRIPT, "")
      .replace(EACH_LIKE_L, "l")
      .replaceAll("0", "o")
      .replaceAll("rn", "m");
  };

  const reserved = new Set([...RESERVED, ...own].map(lookOf));
  const beginnings = new Set([...reserved, ...EMPTY_WORDS].map(beginningOf));
  /**
   * A look at three characters, which spares most names all others: they begin as nothing does that is reserved. Of others than plain
   * ones those of the first word, if it has more: what follows could be read together with the last one.
   */
  const mayBeReserved = (name: string): boolean => {
    let beginning = name.slice(0, BEGINNING).toLowerCase();
    if (!BEGINS_PLAINLY.test(name) || MAY_BE_M.test(beginning)) {
      const [first = ""] = name.split(BETWEEN_WORDS, 1);
      beginning = lookOf(first);
      // A word that says nothing is not looked at: the next one is.
      if (beginning.length <= BEGINNING || SAYS_NOTHING.test(first)) return true;
    }
    beginning = beginningOf(beginning);
    for (let length = 1; length <= BEGINNING; length += 1) if (beginnings.has(beginning.slice(0, length))) return true;
    return false;
  };
  const looksReserved = (text: string): boolean => {
    const look = lookOf(text);
    return look !== "" && reserved.has(look);
  };
  const isReserved = (text: string): boolean =>
    looksReserved(text) || (NUMBER_AT_END.test(text) && looksReserved(text.replace(NUMBER_AT_END, "")));
  const isMadeOfReserved = (name: string): boolean => {
    if (isReserved(name)) return true;
    const parts = name.split(BETWEEN_WORDS);
    if (parts.length === 1) return false;
    const words = parts.filter((word) => !SAYS_NOTHING.test(word));
    return words.length > 0 && words.every(isReserved);
  };
  return {
    has: (name) =>
      mayBeReserved(name) &&
      (isMadeOfReserved(name) ||
        // The last character says how many or how loud: `news5`, `team!`.
        (SUBSTITUTED.test(name) &&
          isMadeOfReserved(name.replace(EACH_SUBSTITUTED, (sign) => AS_LETTERS[sign] ?? sign)))),
  };
};
