import { encodeEvent, loggedEvent } from "../stream/events/envelope.ts";
import { userSignedUp } from "../stream/events/user-signed-up.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import type { Pipeline } from "./pipeline.ts";

/** Entries of the group that are in flight somewhere. */
export const pendingCount = async ({ redis, keys }: Pipeline, stream = keys.events) =>
  (await redis.xpending(stream, WELCOME_EMAIL.name))[0];

export const nothingPending = (pipeline: Pipeline) =>
  eventually(
    async () =>
      (await pendingCount(pipeline)) === 0 &&
      (await pendingCount(pipeline, pipeline.keys.retriesStream(WELCOME_EMAIL.name))) === 0,
  );

export const allSent = (pipeline: Pipeline, eventIds: readonly string[], timeoutMs?: number) =>
  eventually(async () => {
    for (const eventId of eventIds) if ((await pipeline.status(eventId))?.state !== "done") return false;
    return true;
  }, timeoutMs);

/** The fields of an entry, as the API writes them. */
export const anEvent = (eventId: string, userId: string) =>
  encodeEvent(
    loggedEvent({
      event_id: eventId,
      ...userSignedUp({ userId, locale: "vi" }),
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      tracestate: null,
      created_at: new Date(),
    }),
  );
