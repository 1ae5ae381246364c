import type { KubernetesObject } from "../objects.ts";

/** Looks at everything that would be applied, and says in words what is not as it must be. */
export type Policy = (objects: readonly KubernetesObject[]) => readonly string[];

/** `[condition, complaint]` pairs -> the complaints whose condition does not hold. */
export const unless = (
  subject: string,
  ...rules: readonly (readonly [holds: boolean | undefined, complaint: string])[]
): readonly string[] => rules.filter(([holds]) => holds !== true).map(([, complaint]) => `${subject}: ${complaint}`);
