import { type AwaySince, watchSituation } from "../../../ops/actions/situation.ts";
import type { ConsoleParts } from "../visit.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { Snapshot } from "./snapshot.ts";

const EVERY_MS = 2_000;
/** A page does not wait longer for a store that hangs. */
const WITHIN_MS = 3_000;

/** The state of the pipeline, read once for all who look: a store that hangs is a finding, with since when. */
export const snapshotsOf = (
  parts: Pick<ConsoleParts, "stores" | "keys" | "groups" | "log" | "now" | "stopping">,
): Feed<Snapshot> => {
  const { stores, keys, groups, log, now, stopping } = parts;
  const away: AwaySince = new Map();
  return createFeed({
    read: async () => {
      const at = now();
      return { at, situation: await watchSituation({ ...stores(), keys, groups }, at, { withinMs: WITHIN_MS, away }) };
    },
    everyMs: EVERY_MS,
    log,
    monotonicMs: () => performance.now(),
    stopping,
  });
};
