import type { NewSignup } from "../database/users/signup-rows.ts";
import { encodeEvent, loggedEvent } from "../stream/events/envelope.ts";
import { committedEvent, type Pipeline } from "./pipeline.ts";

/** As if Redis had had every entry, and lost it long ago: none is in the outbox. */
export const loseEntries = async ({ db }: Pick<Pipeline, "db">): Promise<void> => {
  await db.deleteFrom("outbox").execute();
  await db
    .updateTable("deliveries")
    .set({ published_at: new Date(0) })
    .execute();
};

/** A second entry of each event, as a relay makes it whose note of the first was lost: another consumer may read it. */
export const addSecondEntries = async (
  { redis, keys }: Pick<Pipeline, "redis" | "keys">,
  signups: readonly NewSignup[],
): Promise<void> => {
  for (const signup of signups) {
    await redis.xadd(keys.events, "*", ...encodeEvent(loggedEvent(committedEvent(signup))));
  }
};
