import type { Redis } from "ioredis";
import type { Group } from "./groups.ts";
import type { Keys } from "./keys.ts";

/**
 * Creates a group on both of its streams where it is missing (XGROUP CREATE key group 0 MKSTREAM). From 0 and not from `$`:
 * entries published while the group was missing are read, and the ledger prevents duplicates. Returns how many were created.
 */
export const ensureGroup = async (redis: Redis, keys: Keys, group: Group): Promise<number> => {
  let made = 0;
  for (const stream of [keys.events, keys.retriesStream(group.name)]) {
    try {
      await redis.xgroup("CREATE", stream, group.name, "0", "MKSTREAM");
      made += 1;
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("BUSYGROUP"))) throw error;
    }
  }
  return made;
};
