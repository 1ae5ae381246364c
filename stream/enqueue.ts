import type { Redis } from "ioredis";
import type { LoggedEvent } from "../database/events.ts";
import { loggedEvent } from "./events/envelope.ts";
import { publish } from "./publish.ts";

/**
 * Puts events of the log into a group's retries stream, in their order, in one pipeline (XADD) and each with its trace: what
 * an operator redrives, releases or replays, and what the reconciler brings back. Other groups see nothing of it.
 */
export const enqueueLogged = async (
  redis: Redis,
  retriesStream: string,
  events: readonly LoggedEvent[],
): Promise<void> => {
  await Promise.all(events.map((event) => publish(redis, retriesStream, loggedEvent(event))));
};
