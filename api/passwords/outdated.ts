import type { Settings } from "../../settings/load.ts";

/** What one hash costs, by the settings. */
export type HashCost = Pick<Settings, "PASSWORD_HASH_MEMORY_KIB" | "PASSWORD_HASH_PASSES">;

const ARGON2ID = /^\$argon2id\$v=\d+\$m=(\d+),t=(\d+),/;

/** Whether a PHC string was made by another algorithm or at another cost than the settings say. Pure. */
export const isOutdated = (hash: string, cost: HashCost): boolean => {
  const [, memoryKib, passes] = ARGON2ID.exec(hash) ?? [];
  return Number(memoryKib) !== cost.PASSWORD_HASH_MEMORY_KIB || Number(passes) !== cost.PASSWORD_HASH_PASSES;
};
