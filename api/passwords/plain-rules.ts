import { SHORTEST_WORD, unitOf, withoutAdded } from "./readings.ts";

/** Who chooses a password, as far as it is known: attackers try these words first. */
export interface PasswordOwner {
  readonly email: string;
  readonly userName: string;
}

/** Normalising what is ASCII would cost more than all the rest. */
const NOT_ASCII = /[^\0-\x7f]/;

/** How passwords are compared: in full width or not, in capitals or not. */
export const foldPassword = (password: string): string =>
  (NOT_ASCII.test(password) ? password.normalize("NFKC") : password).toLowerCase();

/** In the order of the alphabet, of the digits and of the keyboard; doubled, so that they may begin anywhere. */
const SEQUENCES = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890123456789",
  "qwertyuiopasdfghjklzxcvbnm",
  "qazwsxedcrfvtgbyhnujm",
]
  .map((sequence) => sequence.repeat(2))
  .flatMap((sequence) => [sequence, [...sequence].toReversed().join("")]);

/** A longer run is no longer the first thing that an attacker tries. */
const LONGEST_RUN = 32;

// Made once: a literal within a function is an object at each call.
const BETWEEN_WORDS = /[^a-z0-9]+/g;
const BETWEEN_WORDS_OF_ANY_SCRIPT = /[^\p{L}\p{M}\p{N}]+/gu;
const BEGINS_IN_WORD = /^[a-z0-9]/;
const BLANK = /^\s*$/;
/** Characters that are over and over all of a run: `abab`, `12!12!`. */
const LONGEST_UNIT = 4;
const SIGNS_AT_END = /[^\p{L}\p{M}\p{N}]+$/u;

/** Letters and digits alone, of a folded text. */
const squeezed = (folded: string): string =>
  folded.replace(NOT_ASCII.test(folded) ? BETWEEN_WORDS_OF_ANY_SCRIPT : BETWEEN_WORDS, "");

/** Whether a squeezed text may begin with a folded one, squeezed: a look at one character that spares most of the squeezing. */
const mayBegin = (text: string, folded: string): boolean =>
  !BEGINS_IN_WORD.test(folded) || text.startsWith(folded.slice(0, 1));

const isRepeated = (text: string, unit: string): boolean =>
  text !== "" && unit !== "" && text.startsWith(unit) && text === unit.repeat(Math.ceil(text.length / unit.length));

const isRepetition = (folded: string): boolean => {
  const unit = unitOf(folded);
  return unit !== folded && [...unit].length <= LONGEST_UNIT;
};

const isInSequence = (folded: string): boolean => {
  for (const sequence of SEQUENCES) if (sequence.includes(folded)) return true;
  return false;
};

/** Up to four characters over and over, nothing but spaces, or a sequence. */
const isPlainRun = (folded: string): boolean => isRepetition(folded) || BLANK.test(folded) || isInSequence(folded);

const isRunIn = (core: string, folded: string): boolean =>
  core !== folded && core.length * 2 > folded.length && isPlainRun(core);

/** The same with a few digits or signs at its ends, which are less than half of it. */
const isRun = (folded: string): boolean =>
  isPlainRun(folded) || isRunIn(withoutAdded(folded), folded) || isRunIn(folded.replace(SIGNS_AT_END, ""), folded);

/** A folded password as it is looked for in what its owner is called. */
interface Guessed {
  readonly folded: string;
  readonly word: string;
  /** Without what is added at its ends. */
  readonly core: string;
}

/** Whether a password is a text, or that over and over. */
const isOwn = ({ folded, word, core }: Guessed, text: string): boolean => {
  const own = foldPassword(text);
  if (folded === own) return true;
  if (mayBegin(word, own) && isRepeated(word, squeezed(own))) return true;
  return core !== word && core.length >= SHORTEST_WORD && mayBegin(core, own) && isRepeated(core, squeezed(own));
};

/**
 * What is wrong with a password whatever others choose: it is a mere run, or follows from its owner or the service, also with digits
 * and signs at its ends. The server applies it, and the signup page while one types.
 */
export const plainFault = (
  password: string,
  { email, userName }: PasswordOwner,
  brandName: string,
): "password_run" | "password_personal" | undefined => {
  const folded = foldPassword(password);
  if (isRun(folded) && [...folded].length < LONGEST_RUN) return "password_run";
  const at = email.lastIndexOf("@");
  const word = squeezed(folded);
  const guessed = { folded, word, core: withoutAdded(word) };
  const isPersonal =
    isOwn(guessed, email) ||
    isOwn(guessed, email.slice(0, at)) ||
    isOwn(guessed, email.slice(at + 1)) ||
    isOwn(guessed, userName) ||
    isOwn(guessed, brandName);
  return isPersonal ? "password_personal" : undefined;
};
