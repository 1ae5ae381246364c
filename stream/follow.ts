import type { Redis } from "ioredis";
import { type Entry, entriesOfRead } from "./entries.ts";

/**
 * Reads entries after an id as they come (XREAD ... BLOCK), on a connection of its own: the reader is in no group, and nobody else
 * gets fewer. Empty if there was none within `blockMs`.
 */
export const readAfter = async (
  redis: Redis,
  stream: string,
  { id, count, blockMs }: { readonly id: string; readonly count: number; readonly blockMs: number },
): Promise<readonly Entry[]> =>
  entriesOfRead(await redis.xread("COUNT", count, "BLOCK", blockMs, "STREAMS", stream, id));

/**
 * Calls `onChange` with the id of each event of which a delivery changed its state, as long as the connection, which is its own,
 * is open. A hint to read the ledger: Redis does not keep what it publishes. Subscribes again after each reconnection.
 */
export const followChanges = (redis: Redis, channel: string, onChange: (eventId: string) => void): void => {
  const subscribe = () => {
    // A connection that is lost meanwhile subscribes when it is there again.
    redis.subscribe(channel).catch(() => {});
  };
  if (redis.status === "ready") subscribe();
  redis.on("ready", subscribe);
  redis.on("message", (_channel: string, message: string) => {
    const [eventId = ""] = message.split(" ");
    onChange(eventId);
  });
};
