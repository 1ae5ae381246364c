import type { Redis } from "ioredis";
import type { LoggedEvent } from "../database/events.ts";
import { destinationOf, type Send, startSend } from "../observability/messaging.ts";
import { isTelemetryOn } from "../observability/metrics.ts";
import { type Added, addEntries } from "./add-entries.ts";
import { encodeEvent, loggedEvent } from "./events/envelope.ts";

/** What became of one event. */
export type Published = Added;

/** XADDs events of the log in their order, in one write. Never rejects: each has a result of its own, in its place. */
export const publishAll = async (
  redis: Redis,
  stream: string,
  rows: readonly LoggedEvent[],
): Promise<readonly Published[]> => {
  if (!isTelemetryOn())
    return addEntries(
      redis,
      stream,
      rows.map((row) => encodeEvent(loggedEvent(row))),
    );
  const destination = destinationOf(stream);
  const sends: (Send | undefined)[] = [];
  const entries = rows.map((row) => {
    const event = loggedEvent(row);
    const send = startSend({ destination, stream, eventId: event.id, eventType: event.type, trace: event });
    sends.push(send);
    return encodeEvent(send === undefined ? event : { ...event, ...send.trace });
  });
  const published = await addEntries(redis, stream, entries);
  for (const [index, each] of published.entries()) {
    if (each.status === "fulfilled") sends[index]?.succeeded(each.value);
    else sends[index]?.failed(each.reason);
  }
  return published;
};

/** `event_id state` */
const publishLines = (redis: Redis, channel: string, lines: readonly string[]): void => {
  void redis.publish(channel, lines.join("\n")).catch(() => {});
};

/** Most states in one message. */
const MAX_STATES = 100;

const publishInMessages = (redis: Redis, channel: string, lines: readonly string[]): void => {
  for (let from = 0; from < lines.length; from += MAX_STATES)
    publishLines(redis, channel, lines.slice(from, from + MAX_STATES));
};

/** Publishes on the status channel that deliveries have a state, for live pages: many in a message. Nothing depends on it. */
export const publishStates = (redis: Redis, channel: string, eventIds: readonly string[], state: string): void =>
  publishInMessages(
    redis,
    channel,
    eventIds.map((eventId) => `${eventId} ${state}`),
  );

/** Ids of the events that a message of the status channel names. */
export const eventIdsIn = (message: string): readonly string[] =>
  message.split("\n").map((line) => line.split(" ", 1)[0] ?? "");

/**
 * Publishes states as `publishStates` does; those of one turn of the event loop share a message, a line each. Redis sends it to every
 * api, and a busy consumer changes thousands of states a second.
 */
export const createStatePublisher = (redis: Redis, channel: string): ((eventId: string, state: string) => void) => {
  let lines: string[] = [];
  const flush = () => {
    const changed = lines;
    lines = [];
    publishInMessages(redis, channel, changed);
  };
  return (eventId, state) => {
    if (lines.length === 0) setImmediate(flush);
    lines.push(`${eventId} ${state}`);
  };
};
