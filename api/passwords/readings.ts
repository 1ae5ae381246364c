import { MIN_PASSWORD } from "../signup/plain-rules.ts";

/** What people add at the ends of a word to make it long enough, and what is guessed along with it: `2024!`, `@123456`, `1`, `!!`. */
const SIGN = "[^\\p{L}\\p{M}\\p{N}]";
const ADDED_BEFORE = new RegExp(`^(?:\\p{N}{1,3}|${SIGN}{1,3})`, "u");
const ADDED_AFTER = new RegExp(`(?:${SIGN}{0,3}\\p{N}{1,8})?${SIGN}{0,3}$`, "u");
/** Random characters make shorter words by chance, and more of them where digits and signs are read as letters. */
export const SHORTEST_WORD = 5;
const SHORTEST_SUBSTITUTED = 6;

/** Most passwords have nothing to take off: this look costs less. */
const ENDS_WITH_OTHERS = /^[^\p{L}\p{M}]|[^\p{L}\p{M}]$/u;

/** A text without a few digits and signs after it. */
const withoutTail = (text: string): string => text.replace(ADDED_AFTER, "");

/** A text without a few digits and signs at its ends. */
export const withoutAdded = (text: string): string =>
  ENDS_WITH_OTHERS.test(text) ? withoutTail(text).replace(ADDED_BEFORE, "") : text;

const SUBSTITUTED = /[@4031!|$57+8]/;
const EACH_SUBSTITUTED = /[@4031!|$57+8]/g;
const LETTERS = /^[\p{L}\p{M}]+$/u;
const LIKE_I_OR_L = /[1!|]/;
const AS_LETTERS: Readonly<Record<string, string>> = {
  "@": "a",
  "4": "a",
  "0": "o",
  "3": "e",
  $: "s",
  "5": "s",
  "7": "t",
  "+": "t",
  "8": "b",
};

/**
 * A folded text, and the same with letters for the digits and signs that stand for them: `p@ssw0rd`. Twice, where one may be an `i` or
 * an `l`.
 */
const withLetters = (text: string): readonly string[] => {
  if (text.length < SHORTEST_SUBSTITUTED || !SUBSTITUTED.test(text)) return [text];
  const read = (other: string) => text.replace(EACH_SUBSTITUTED, (sign) => AS_LETTERS[sign] ?? other);
  const word = read("i");
  // With digits or signs left they stood for nothing.
  if (!LETTERS.test(word)) return [text];
  return LIKE_I_OR_L.test(text) ? [text, word, read("l")] : [text, word];
};

/** The shortest text of which this one is a repetition, maybe cut off at its end. */
export const unitOf = (text: string): string => {
  const first = text.charCodeAt(0);
  for (let length = 1; length <= text.length / 2; length += 1) {
    // A look at one character spares a text for each length.
    if (text.charCodeAt(length) === first && text.startsWith(text.slice(length))) return text.slice(0, length);
  }
  return text;
};

/** The list has words, and whole passwords. */
const isListed = (word: string): boolean => word.length >= (LETTERS.test(word) ? SHORTEST_WORD : MIN_PASSWORD);

/**
 * The words as which a folded password is read: itself; with letters for what stands for them; without what was added at its ends; once
 * where it is repeated.
 */
export const readingsOf = (folded: string): Iterable<string> => {
  const hasOthers = ENDS_WITH_OTHERS.test(folded);
  // Most are read in one way.
  if (!hasOthers && !SUBSTITUTED.test(folded) && unitOf(folded) === folded) return isListed(folded) ? [folded] : [];
  const words = (hasOthers ? [folded, withoutTail(folded), withoutAdded(folded)] : [folded]).flatMap(withLetters);
  return new Set([...words, ...words.map(unitOf)].filter(isListed));
};
