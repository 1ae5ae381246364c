import type { FaultCode } from "../faults.ts";
import { type CommonPasswords, foldPassword, NOT_ASCII } from "./common-passwords.ts";

/** Who chooses a password, as far as it is known: attackers try these words first. */
export interface PasswordOwner {
  readonly email: string;
  readonly userName: string;
}

/** What is wrong with a password of the right length: at most one fault, the one that explains most. */
export type PasswordRules = (password: string, owner: PasswordOwner) => readonly FaultCode[];

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

/** Letters and digits alone, of a folded text. */
const squeezed = (folded: string): string =>
  folded.replace(NOT_ASCII.test(folded) ? /[^\p{L}\p{M}\p{N}]+/gu : /[^a-z0-9]+/g, "");

const isRepeated = (text: string, unit: string): boolean =>
  text !== "" && unit !== "" && text.startsWith(unit) && text === unit.repeat(Math.ceil(text.length / unit.length));

/** One character over and over, nothing but spaces, or a sequence. */
const isRun = (folded: string): boolean =>
  /^(.)\1*$/su.test(folded) || /^\s*$/.test(folded) || SEQUENCES.some((sequence) => sequence.includes(folded));

/**
 * The rules of NIST SP 800-63B (3.1.1.2) and OWASP ASVS 5 (6.2): no password that is common, that follows from its owner or
 * the service, or that is a mere run. No rule about kinds of characters.
 */
export const createPasswordRules = (deps: {
  readonly common: CommonPasswords;
  readonly brandName: string;
}): PasswordRules => {
  const { common, brandName } = deps;
  return (password, { email, userName }) => {
    const folded = foldPassword(password);
    if ([...folded].length < LONGEST_RUN && isRun(folded)) return ["password_run"];
    const localPart = email.slice(0, email.lastIndexOf("@"));
    const domain = email.slice(email.lastIndexOf("@") + 1);
    const word = squeezed(folded);
    const isOwn = [email, localPart, domain, userName, brandName]
      .map(foldPassword)
      .some((own) => folded === own || isRepeated(word, squeezed(own)));
    if (isOwn) return ["password_personal"];
    return common.has(password) ? ["password_common"] : [];
  };
};
