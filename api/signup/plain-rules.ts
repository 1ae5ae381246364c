import type { FaultCode } from "../faults.ts";

/** Rules that need nothing but the text: the server applies them, and the signup page while one types. Lengths are in code points. */
export const MAX_USER_NAME = 64;
export const MIN_PASSWORD = 12;
export const MAX_PASSWORD = 128;

/** Controls, line and paragraph separators, and characters that change the direction of the text (UAX 9). */
const FORBIDDEN_IN_NAMES = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
/** Anything visible: no space, no format character, no filler, not the empty Braille cell. */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Without a list of them. A pair of surrogates is one. */
export const codePoints = (text: string): number => {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    if ((text.codePointAt(index) ?? 0) > 0xffff) index += 1;
    count += 1;
  }
  return count;
};

export const userNameFaults = (name: string): FaultCode[] => {
  if (name === "") return ["user_name_empty"];
  const faults: FaultCode[] = [];
  if (!name.isWellFormed()) faults.push("not_well_formed");
  if (codePoints(name) > MAX_USER_NAME) faults.push("user_name_too_long");
  if (FORBIDDEN_IN_NAMES.test(name)) faults.push("user_name_control_characters");
  else if (!VISIBLE.test(name)) faults.push("user_name_invisible");
  return faults;
};

export const passwordFaults = (password: string): FaultCode[] => {
  const length = codePoints(password);
  const faults: FaultCode[] = [];
  if (!password.isWellFormed()) faults.push("not_well_formed");
  if (length < MIN_PASSWORD) faults.push("password_too_short");
  if (length > MAX_PASSWORD) faults.push("password_too_long");
  return faults;
};
