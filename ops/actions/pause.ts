import { pausesOf } from "../../database/groups/pauses.ts";
import { untilReady } from "../../stream/connection.ts";
import type { Group } from "../../stream/groups.ts";
import { type PauseOutcome, pauseGroup, resumeGroup } from "../../stream/pauses.ts";
import { audited } from "./audited.ts";
import type { Operator } from "./operator.ts";
import { untilStoresAnswer } from "./stores.ts";

const CONNECT_WITHIN_MS = 2_000;

/** Pauses a group; one store is enough. */
export const pause = audited({
  name: "pause",
  describe: ([{ name }]) => ({ group: name }),
  async run({ db, redis, keys, audit }: Operator, { name }: Group): Promise<PauseOutcome> {
    await untilReady(redis, CONNECT_WITHIN_MS);
    return pauseGroup({ pauses: pausesOf(db), redis, keys }, { group: name, reason: null, by: audit.actor });
  },
  resultOf: ({ changed }) => ({ affected: Number(changed) }),
});

/**
 * Resumes a group; false if it was not paused.
 *
 * @throws {StoreAway} before anything is done: what Redis has of a pause would bring it back, and a command that is sent to one that hangs is carried out
 * when nobody expects it any more
 */
export const resume = audited({
  name: "resume",
  describe: ([{ name }]) => ({ group: name }),
  async run({ db, redis, keys }: Operator, { name }: Group): Promise<boolean> {
    await untilStoresAnswer({ db, redis }, ["redis"], CONNECT_WITHIN_MS);
    return resumeGroup({ pauses: pausesOf(db), redis, keys }, name);
  },
  resultOf: (changed) => ({ affected: Number(changed) }),
});
