import type { FaultCode } from "../../faults.ts";
import { hasHiddenCharacters } from "./hidden-characters.ts";
import { hasPiledMarks } from "./marks.ts";
import { createReservedNames } from "./reserved-names.ts";
import { createMixedScriptsCheck } from "./scripts.ts";

/** In one script, and nothing hidden: most names, and those that cost next to nothing. */
const ASCII = /^[\x20-\x7e]*$/;

/** Which names would deceive those who read them. Applied to a name in NFC that has the right length. */
export type NameRules = (name: string) => readonly FaultCode[];

/** `brandName` is reserved, too. */
export const createNameRules = ({ brandName }: { readonly brandName: string }): NameRules => {
  const reserved = createReservedNames([brandName]);
  const mixesScripts = createMixedScriptsCheck();
  return (name) => {
    const isAscii = ASCII.test(name);
    if (!isAscii && hasHiddenCharacters(name)) return ["user_name_hidden_characters"];
    if (reserved.has(name)) return ["user_name_reserved"];
    if (!isAscii && hasPiledMarks(name)) return ["user_name_marks"];
    return !isAscii && mixesScripts(name) ? ["user_name_mixed_scripts"] : [];
  };
};
