import type { KubernetesObject } from "../objects.ts";

/** Checks everything that would be applied; returns its findings in words. */
export type Policy = (objects: readonly KubernetesObject[]) => readonly string[];

/** `[condition, finding]` pairs -> the findings whose condition does not hold. */
export const unless = (
  subject: string,
  ...rules: readonly (readonly [holds: boolean | undefined, finding: string])[]
): readonly string[] => rules.filter(([holds]) => holds !== true).map(([, finding]) => `${subject}: ${finding}`);
