import type { Settings } from "../../settings/load.ts";

/** What one hash costs, by the settings. */
export type HashCost = Pick<Settings, "PASSWORD_HASH_MEMORY_KIB" | "PASSWORD_HASH_PASSES">;

const ARGON2ID = /^\$argon2id\$v=\d+\$m=(\d+),t=(\d+),/;

/** What a PHC string says of the cost at which argon2id made it; undefined if another algorithm did. Pure. */
export const costOf = (hash: string): { readonly memoryKib: number; readonly passes: number } | undefined => {
  const [, memoryKib, passes] = ARGON2ID.exec(hash) ?? [];
  return memoryKib === undefined ? undefined : { memoryKib: Number(memoryKib), passes: Number(passes) };
};

/** Whether a PHC string was made by another algorithm or at another cost than the settings say. Pure. */
export const isOutdated = (hash: string, cost: HashCost): boolean => {
  const made = costOf(hash);
  return made?.memoryKib !== cost.PASSWORD_HASH_MEMORY_KIB || made.passes !== cost.PASSWORD_HASH_PASSES;
};
