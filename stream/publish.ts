import type { Redis } from "ioredis";
import { destinationOf, tracedSend } from "../observability/messaging.ts";
import { encodeEvent, type StreamEvent } from "./events/envelope.ts";

/**
 * XADD with an id of Redis' own choosing; returns it. Events that are published in one turn of the event loop share a
 * pipeline. A rejection means "unknown": the entry may be there.
 */
export const publish = (redis: Redis, stream: string, event: StreamEvent): Promise<string> => {
  const { id: eventId, type: eventType, traceparent, tracestate } = event;
  const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
  return tracedSend({ destination: destinationOf(stream), stream, eventId, eventType, trace }, async (carried) => {
    const entryId = await redis.xadd(stream, "*", ...encodeEvent({ ...event, ...carried }));
    if (entryId === null) throw new Error(`XADD to ${stream} gave no id`);
    return entryId;
  });
};

/** Says on the status channel what became of an event, for pages that watch. Nothing depends on it. */
export const publishState = (redis: Redis, channel: string, eventId: string, state: string): void => {
  void redis.publish(channel, `${eventId} ${state}`).catch(() => {});
};
