import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import { createRateKeeper, type RateStores } from "../../stream/rates.ts";

const EVERY_MS = 5_000;

/** Restores the copy of the ordered rates that Redis has lost. Consumers ask Postgres until the copy is complete. */
export const startRateKeeper = (
  { log, ...stores }: RateStores & { readonly log: Logger },
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  const keep = createRateKeeper(stores);
  return startLoop({
    name: "rate keeper",
    log,
    everyMs,
    turn: async () => {
      const restored = await keep();
      if (restored.length > 0) log.warn({ budgets: restored }, "Redis had lost rates; they are restored from Postgres");
      return "idle";
    },
  });
};
