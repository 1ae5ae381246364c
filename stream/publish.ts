import type { Redis } from "ioredis";
import { destinationOf, tracedSend } from "../observability/messaging.ts";
import { encodeEvent, type StreamEvent } from "./events/envelope.ts";

/**
 * XADD; returns the id that Redis assigned. Events that are published in one turn of the event loop share a
 * pipeline. A rejection means that the effect is unknown: the entry may exist.
 */
export const publish = (redis: Redis, stream: string, event: StreamEvent): Promise<string> => {
  const { id: eventId, type: eventType, traceparent, tracestate } = event;
  const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
  return tracedSend({ destination: destinationOf(stream), stream, eventId, eventType, trace }, async (carried) => {
    const entryId = await redis.xadd(stream, "*", ...encodeEvent({ ...event, ...carried }));
    if (entryId === null) throw new Error(`XADD to ${stream} returned no id`);
    return entryId;
  });
};

/** Publishes the state of a delivery on the status channel, for live pages. Nothing depends on it. */
export const publishState = (redis: Redis, channel: string, eventId: string, state: string): void => {
  void redis.publish(channel, `${eventId} ${state}`).catch(() => {});
};
