/** The scripts that UTS 31 recommends for names (table 5). All others count as one. */
const SCRIPTS = [
  ["Latin", "Cyrillic", "Greek", "Armenian", "Georgian", "Hebrew", "Arabic", "Thaana", "Ethiopic"],
  ["Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala"],
  ["Thai", "Lao", "Tibetan", "Myanmar", "Khmer", "Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"],
].flat();

/** Scripts that one word may mix: UTS 39, 5.2, "highly restrictive". They look too different to be mistaken. */
const MIXTURES = [
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
];

/** Used with every script: digits, punctuation, most marks. */
const SHARED = "\\p{scx=Common}\\p{scx=Inherited}";

const madeOf = (scripts: readonly string[]): RegExp =>
  new RegExp(`^[${SHARED}${scripts.map((script) => `\\p{scx=${script}}`).join("")}]*$`, "u");

/**
 * What ends a word: the spaces that people type, and visible punctuation and symbols. Narrow spaces do not, since a word
 * with one in it looks like one word.
 */
const BETWEEN_WORDS = /[ \u00A0\u3000\p{P}\p{S}]+/u;

/**
 * Whether a word mixes scripts, which is how one letter passes for another: `pаypal` with a Cyrillic `а`. Words of different
 * scripts may stand beside each other, as in `Иван Smith` or `ИТ-team`.
 */
export const createMixedScriptsCheck = (): ((text: string) => boolean) => {
  const allowed = [...SCRIPTS.map((script) => [script]), ...MIXTURES].map(madeOf);
  const others = new RegExp(`^[^${SCRIPTS.map((script) => `\\p{scx=${script}}`).join("")}]*$`, "u");
  const [latin = others] = allowed;
  return (text) =>
    // Most texts need no second look.
    !latin.test(text) &&
    text.split(BETWEEN_WORDS).some((word) => !allowed.some((one) => one.test(word)) && !others.test(word));
};
