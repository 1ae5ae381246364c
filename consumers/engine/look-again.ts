import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { GroupDefinition } from "./handler.ts";
import type { InFlight } from "./in-flight.ts";
import { lookUp } from "./look-up.ts";
import { isSystemsFault } from "./thrown.ts";

/** A look-up that throws for a piece was said when it was read, or is said when it is read again: here the piece goes on as it was. */
const QUIET = { error: () => {} };
/** How often what waits is looked up again, in ms. */
const EVERY_MS = 1_000;

/**
 * Looks up again what was claimed and has not passed its commit point: it may wait long for its turn, and by then there may be nobody left to do
 * it for. What must not be done any more is given up, goes back to the stream, and is closed by whoever reads it. What cannot be looked
 * up goes on as it was.
 */
export const startLookingAgain = <Data, Input>(
  { group, data, prepare }: Pick<GroupDefinition<Data, Input>, "group" | "data" | "prepare">,
  { inFlight, log }: { readonly inFlight: Pick<InFlight, "attempts">; readonly log: Logger },
): Loop => {
  let seen = new Set<string>();
  return startLoop({
    name: `look-ups of what waits in ${group.name}`,
    log,
    everyMs: EVERY_MS,
    turn: async () => {
      const waiting = inFlight.attempts().filter(({ isCommitted, giveUp }) => !isCommitted && !giveUp.signal.aborted);
      // What was not there the last time has just been looked up.
      const known = seen;
      seen = new Set(waiting.map(({ event }) => event.id));
      const again = waiting.filter(({ event }) => known.has(event.id));
      const pieces = again.flatMap(({ event: { id, type, data: given } }) => {
        const parsed = data.safeParse(given);
        return parsed.success ? [{ eventId: id, type, data: parsed.data }] : [];
      });
      if (pieces.length === 0) return "idle";
      try {
        const { found } = await lookUp({ prepare }, pieces, QUIET);
        for (const { event, isCommitted, giveUp } of again) {
          const kind = found.get(event.id)?.kind;
          if (!isCommitted && kind !== "ready" && kind !== "failed") giveUp.abort("not_wanted_any_more");
        }
      } catch (error) {
        if (!isSystemsFault(error)) throw error;
      }
      return "idle";
    },
  });
};
