import type { Redis } from "ioredis";
import type { LoggedEvent } from "../database/events.ts";
import { loggedEvent } from "./events/envelope.ts";
import { publish } from "./publish.ts";

/**
 * Publishes events of the log to one group's retries stream, in order, in one pipeline (XADD), each with its trace context:
 * for redrive, release, replay and the reconciler. Other groups do not read that stream.
 */
export const enqueueLogged = async (
  redis: Redis,
  retriesStream: string,
  events: readonly LoggedEvent[],
): Promise<void> => {
  await Promise.all(events.map((event) => publish(redis, retriesStream, loggedEvent(event))));
};
