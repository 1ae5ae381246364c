/** How a piece of text is meant; a terminal that can shows it by colour. */
export type Tone = "plain" | "bold" | "dim" | "good" | "warning" | "bad";

/** Dresses text for where it goes: with SGR codes on a terminal, untouched elsewhere. */
export type Style = (tone: Tone, text: string) => string;

const CODES: Readonly<Record<Tone, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  good: "32",
  warning: "33",
  bad: "31",
};

/** Colours on a terminal, unless NO_COLOR is set to anything (https://no-color.org). */
export const styleFor = (output: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Style => {
  const coloured = output.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return (tone, text) => (coloured && tone !== "plain" && text !== "" ? `\x1b[${CODES[tone]}m${text}\x1b[0m` : text);
};

/** What would act on a terminal rather than be read: controls, line breaks, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of foreign origin, fit for one line of a terminal: a mail server's reply or a malformed entry may hold anything.
 */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
