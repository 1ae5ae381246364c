import { type AwaySince, watchSituation } from "../../../ops/actions/situation.ts";
import type { WriteRefusal } from "../../../runtime/situation/facts.ts";
import type { ConsoleParts } from "../visit.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { Snapshot } from "./snapshot.ts";

const EVERY_MS = 2_000;
/** A page does not wait longer for a store that hangs. */
const WITHIN_MS = 3_000;

/** The state of the pipeline, read once for all who look: a store that hangs is a finding, with since when. */
export const snapshotsOf = (
  parts: Pick<ConsoleParts, "stores" | "keys" | "groups" | "log" | "now" | "stopping"> & {
    /** What Postgres refuses this process to write. */
    readonly refusal?: (() => WriteRefusal | undefined) | undefined;
  },
): Feed<Snapshot> => {
  const { stores, keys, groups, log, now, stopping, refusal } = parts;
  const away: AwaySince = new Map();
  return createFeed({
    read: async () => {
      const at = now();
      const watched = { withinMs: WITHIN_MS, away, refusal: refusal?.() };
      return { at, situation: await watchSituation({ ...stores(), keys, groups }, at, watched) };
    },
    everyMs: EVERY_MS,
    log,
    monotonicMs: () => performance.now(),
    stopping,
  });
};
