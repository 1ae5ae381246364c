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
const ONE_CHARACTER = /^(.)\1*$/su;
const BLANK = /^\s*$/;

/** Letters and digits alone, of a folded text. */
const squeezed = (folded: string): string =>
  folded.replace(NOT_ASCII.test(folded) ? BETWEEN_WORDS_OF_ANY_SCRIPT : BETWEEN_WORDS, "");

/** Whether a squeezed text may begin with a folded one, squeezed: a look at one character that spares most of the squeezing. */
const mayBegin = (text: string, folded: string): boolean =>
  !BEGINS_IN_WORD.test(folded) || text.startsWith(folded.slice(0, 1));

const isRepeated = (text: string, unit: string): boolean =>
  text !== "" && unit !== "" && text.startsWith(unit) && text === unit.repeat(Math.ceil(text.length / unit.length));

/** One character over and over, nothing but spaces, or a sequence. */
const isRun = (folded: string): boolean =>
  ONE_CHARACTER.test(folded) || BLANK.test(folded) || SEQUENCES.some((sequence) => sequence.includes(folded));

/**
 * What is wrong with a password whatever others choose: it is a mere run, or follows from its owner or the service. The server
 * applies it, and the signup page while one types.
 */
export const plainFault = (
  password: string,
  { email, userName }: PasswordOwner,
  brandName: string,
): "password_run" | "password_personal" | undefined => {
  const folded = foldPassword(password);
  if (isRun(folded) && [...folded].length < LONGEST_RUN) return "password_run";
  const localPart = email.slice(0, email.lastIndexOf("@"));
  const domain = email.slice(email.lastIndexOf("@") + 1);
  const word = squeezed(folded);
  const isOwn = (text: string): boolean => {
    const own = foldPassword(text);
    return folded === own || (mayBegin(word, own) && isRepeated(word, squeezed(own)));
  };
  return [email, localPart, domain, userName, brandName].some(isOwn) ? "password_personal" : undefined;
};
