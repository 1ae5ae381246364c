/** The meaning of a piece of text, shown as a colour on a terminal. */
export type Tone = "plain" | "bold" | "dim" | "good" | "warning" | "bad";

/** Styles text for its output: with SGR codes on a terminal, unchanged elsewhere. */
export interface Style {
  (tone: Tone, text: string): string;
  /** Columns of the terminal; undefined: a line may be of any length. */
  readonly width?: number | undefined;
}

/** Where text goes: a terminal, a pipe or a file. */
export interface Destination {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

const CODES: Readonly<Record<Tone, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  good: "32",
  warning: "33",
  bad: "31",
};

/** Whether to colour: on a terminal, unless NO_COLOR is set to anything (https://no-color.org). */
export const isColoured = (output: Destination, environment: NodeJS.ProcessEnv): boolean =>
  output.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";

/** Colours where they are wanted, and the width of a terminal. */
export const styleFor = (output: Destination, environment: NodeJS.ProcessEnv): Style => {
  const coloured = isColoured(output, environment);
  const width = output.isTTY === true ? output.columns || undefined : undefined;
  return Object.assign(
    (tone: Tone, text: string) =>
      coloured && tone !== "plain" && text !== "" ? `\x1b[${CODES[tone]}m${text}\x1b[0m` : text,
    { width },
  );
};

/** What a terminal acts on rather than shows: control characters, line breaks, and changes of writing direction. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Untrusted text, made safe for one line of a terminal: a mail server's reply or a malformed entry may hold anything. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
