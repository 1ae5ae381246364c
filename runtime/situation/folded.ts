import { counted } from "../quantity.ts";
import type { Finding } from "./finding.ts";

/** From so many groups on, what happened to all of them is said once. */
const MANY = 3;
const NAMED = 3;

const named = (groups: readonly string[]): string => {
  const rest = groups.length - NAMED;
  const names = groups.slice(0, NAMED).join(", ");
  return rest > 0 ? `${names} and ${counted(rest, "more", "more")}` : names;
};

const one = (first: Finding, others: readonly Finding[]): Finding => {
  const groups = others.flatMap(({ group }) => group ?? []);
  const sentence = `${first.sentence}; likewise ${counted(groups.length, "other group")} (${named(groups)})`;
  const { remedy } = first;
  // Without its group a command is for all of them.
  const forAll = remedy === undefined ? {} : { remedy: remedy.replace(` --group ${first.group}`, "") };
  return { ...first, alsoOf: groups, sentence, ...forAll };
};

/** Findings with what several groups have of one cause said once, in the place of the first. Pure. */
export const folded = (findings: readonly Finding[]): readonly Finding[] => {
  const keyOf = ({ cause, level }: Finding, index: number) => (cause === undefined ? index : `${level} ${cause}`);
  const byKey = [...Map.groupBy(findings.entries(), ([index, finding]) => keyOf(finding, index)).values()];
  return byKey.flatMap((same) => {
    const [first, ...others] = same.map(([, finding]) => finding);
    if (first === undefined) return [];
    return others.length + 1 < MANY ? [first, ...others] : [one(first, others)];
  });
};
