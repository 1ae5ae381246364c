import type { Redis } from "ioredis";
import type { LoggedEvent } from "../database/events.ts";
import { publishAll } from "./publish.ts";

/**
 * Publishes events of the log to one group's retries stream, in order, in one pipeline (XADD), each with its trace context:
 * for redrive, release, replay and the reconciler. Other groups do not read that stream.
 *
 * @throws the first failure; the others may have been published
 */
export const enqueueLogged = async (
  redis: Redis,
  retriesStream: string,
  events: readonly LoggedEvent[],
): Promise<void> => {
  for (const result of await publishAll(redis, retriesStream, events)) {
    if (result.status === "rejected") throw result.reason;
  }
};
