import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import { type Leader, type LeadWish, sayLead } from "../../stream/scripts/lead.ts";
import type { Lead } from "./handler.ts";

/** Where the consumers of a group say whether one of them is to lead. */
export interface LeadTable {
  say(consumer: string, wish: LeadWish): Promise<Leader>;
}

/** The table of one group at one system, in Redis. */
export const leadTable = (
  redis: Redis,
  keys: Keys,
  names: { readonly system: string; readonly group: string },
): LeadTable => {
  const key = keys.lead(names.system, names.group);
  return { say: (consumer, wish) => sayLead(redis, key, consumer, wish) };
};

export interface Leading extends Loop {
  /** Another one may lead at once. */
  leave(): Promise<void>;
}

const EVERY_MS = 1_000;

/**
 * Several consumers of a group at a limit that is hardly enough for one do worse than one alone. Whether that is so each finds out for itself; here they agree on the one
 * who does all, for as long as it says that it still does. Nothing is asked while no consumer wants it.
 */
export const startLeading = (
  {
    table,
    group,
    log,
    signal,
  }: { readonly table: LeadTable; readonly group: string; readonly log: Logger; readonly signal: AbortSignal },
  { consumer, lead }: { readonly consumer: string; readonly lead: Lead },
): Leading => {
  let isHeeded = false;
  let leader: Leader["leader"] = "nobody";
  const loop = startLoop({
    name: `leading of ${group}`,
    log,
    everyMs: EVERY_MS,
    signal,
    turn: async () => {
      const wish = lead.wish();
      if (wish.wish === "none" && !isHeeded) return "idle";
      const heard = await table.say(consumer, wish);
      isHeeded = wish.wish !== "none";
      lead.heard(heard);
      if (heard.leader === leader) return "idle";
      leader = heard.leader;
      log.info({ leader, wish: wish.wish }, SAID[leader]);
      return "idle";
    },
  });
  return {
    ...loop,
    leave: async () => {
      if (isHeeded) await table.say(consumer, { wish: "none", perSecond: 0 });
    },
  };
};

const SAID = {
  this: "does all work of the group alone, since several would meet at what the other system allows",
  another: "leaves the work to another consumer, since several would meet at what the other system allows",
  nobody: "every consumer works again",
} as const;
