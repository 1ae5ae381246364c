import type { FaultCode } from "../faults.ts";
import type { CommonPasswords } from "./common-passwords.ts";
import { type PasswordOwner, plainFault } from "./plain-rules.ts";

/** What is wrong with a password of the right length: at most one fault, the one that explains most. */
export type PasswordRules = (password: string, owner: PasswordOwner) => readonly FaultCode[];

/**
 * The rules of NIST SP 800-63B (3.1.1.2) and OWASP ASVS 5 (6.2): no password that is common, that follows from its owner or
 * the service, or that is a mere run. No rule about kinds of characters.
 */
export const createPasswordRules = (deps: {
  readonly common: CommonPasswords;
  readonly brandName: string;
}): PasswordRules => {
  const { common, brandName } = deps;
  return (password, owner) => {
    const fault = plainFault(password, owner, brandName);
    if (fault !== undefined) return [fault];
    return common.has(password) ? ["password_common"] : [];
  };
};
