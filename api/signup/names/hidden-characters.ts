/** Shown as nothing: what Unicode says to ignore, the empty Braille cell, and the marks of interlinear annotations. */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB]/u;

/**
 * Emoji as keyboards make them (UTS 51): joined by U+200D, with a skin tone or a selector of style, a keycap, or one of the
 * three flags that are spelled with tags. A joiner or a selector elsewhere is no part of one.
 */
const PICTOGRAPH = "\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}|[\\uFE0E\\uFE0F])?";
const EMOJI = new RegExp(
  [
    "\\u{1F3F4}\\u{E0067}\\u{E0062}" +
      "(?:\\u{E0065}\\u{E006E}\\u{E0067}|\\u{E0073}\\u{E0063}\\u{E0074}|\\u{E0077}\\u{E006C}\\u{E0073})\\u{E007F}",
    `${PICTOGRAPH}(?:\\u200D${PICTOGRAPH})*`,
    "[#*0-9]\\uFE0F\\u20E3",
  ].join("|"),
  "gu",
);

/** Viramas of the scripts that write conjuncts with joiners. */
const VIRAMA = "[\\u094D\\u09CD\\u0A4D\\u0ACD\\u0B4D\\u0BCD\\u0C4D\\u0CCD\\u0D4D\\u0DCA\\u1039\\u17D2]";
/** Scripts whose letters join, which U+200C prevents: Persian, Urdu, Syriac. */
const JOINING = "[\\p{sc=Arab}\\p{sc=Syrc}]";
/** Where a word needs a joiner or a non-joiner (RFC 5892, A.1 and A.2), and Bengali and Kannada one before the virama. */
const JOINERS = new RegExp(
  [
    `(?<=${VIRAMA})[\\u200C\\u200D]`,
    `(?<=\\p{L})\\u200D(?=${VIRAMA})`,
    `(?<=${JOINING}\\p{M}*)\\u200C(?=${JOINING})`,
  ].join("|"),
  "gu",
);
/** Variants of ideographs, which Japanese names have, and of Mongolian letters. */
const VARIANTS = /(?<=\p{Ideographic})[\uFE00-\uFE02\u{E0100}-\u{E01EF}]|(?<=\p{sc=Mong})[\u180B-\u180D\u180F]/gu;

/** Whether a text has a character that nobody sees, other than where a script or an emoji needs it. */
export const hasHiddenCharacters = (text: string): boolean => {
  if (!HIDDEN.test(text)) return false;
  const rest = [EMOJI, JOINERS, VARIANTS].reduce((left, needed) => left.replace(needed, "\u00B7"), text);
  return HIDDEN.test(rest);
};
