import type { Redis } from "ioredis";
import { encodeEvent, type StreamEvent } from "./event.ts";

/**
 * XADD with an id of Redis' own choosing; returns it. Events that are published in one turn of the event loop share a
 * pipeline. A rejection means "unknown": the entry may be there.
 */
export const publish = async (redis: Redis, stream: string, event: StreamEvent): Promise<string> => {
  const entryId = await redis.xadd(stream, "*", ...encodeEvent(event));
  if (entryId === null) throw new Error(`XADD to ${stream} gave no id`);
  return entryId;
};

/** Says on the status channel what became of an event, for pages that watch. Nothing depends on it. */
export const announceState = (redis: Redis, channel: string, eventId: string, state: string): void => {
  void redis.publish(channel, `${eventId} ${state}`).catch(() => {});
};
