import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { createPauseKeeper, type PauseStores } from "../../stream/pauses.ts";

const EVERY_MS = 2_000;

/**
 * Restores the copy of the pauses that Redis has lost, in a flush for example, and saves a pause that only Redis has. Consumers
 * ask Postgres until the copy is complete, so a paused group reads nothing meanwhile.
 */
export const startPauseKeeper = (
  { log, ...stores }: PauseStores & { readonly log: Logger },
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  const keep = createPauseKeeper(stores);
  return startLoop({
    name: "pause keeper",
    log,
    everyMs,
    turn: async () => {
      const { restored, saved, ended } = await keep();
      if (restored.length > 0) log.warn({ groups: restored }, "Redis had lost pauses; they are restored from Postgres");
      if (saved.length > 0) log.warn({ groups: saved }, "pauses were in Redis only; they are saved in Postgres");
      if (ended.length > 0) log.warn({ groups: ended }, "pauses made by hand in Redis were ended there");
      return "idle";
    },
  });
};
