import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import type { Loop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import type { Capacity } from "./handler.ts";
import { leadTable, startLeading } from "./leading.ts";
import { sharedTable, startSharing } from "./sharing.ts";

/** What a consumer agrees on with others that use the same system. */
export interface WithPeers {
  readonly loops: readonly Loop[];
  /** What it has is free for them. */
  leave(): Promise<void>;
}

/** Starts the loops for what the system of a group is shared by, if anything. */
export const startWithPeers = (
  {
    redis,
    keys,
    log,
    signal,
  }: { readonly redis: Redis; readonly keys: Keys; readonly log: Logger; readonly signal: AbortSignal },
  {
    group,
    consumer,
    capacity,
  }: { readonly group: string; readonly consumer: string; readonly capacity: Capacity | undefined },
): WithPeers => {
  const { places, lead } = capacity ?? {};
  const common = { group, log, signal };
  const sharing =
    places &&
    startSharing({ ...common, table: sharedTable(redis, keys, places.at) }, { pool: `${group} ${consumer}`, places });
  const leading =
    lead && startLeading({ ...common, table: leadTable(redis, keys, { system: lead.at, group }) }, { consumer, lead });
  const loops = [sharing, leading].filter((loop) => loop !== undefined);
  return {
    loops,
    leave: async () => {
      await Promise.all(loops.map((loop) => loop.leave()));
    },
  };
};
