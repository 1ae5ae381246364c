import type { Settings } from "../../settings/load.ts";

/** What one hash costs, by the settings. */
export type HashCost = Pick<Settings, "PASSWORD_HASH_MEMORY_KIB" | "PASSWORD_HASH_PASSES">;

/** Whether a PHC string was made by another algorithm or at another cost than the settings say. Pure. */
export const isOutdated = (hash: string, cost: HashCost): boolean => {
  const [, algorithm, , parameters = ""] = hash.split("$");
  const { m, t } = Object.fromEntries(parameters.split(",").map((parameter) => parameter.split("=")));
  return (
    algorithm !== "argon2id" || Number(m) !== cost.PASSWORD_HASH_MEMORY_KIB || Number(t) !== cost.PASSWORD_HASH_PASSES
  );
};
