import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import {
  answerRequest,
  endShare,
  type OthersShare,
  type OwnShare,
  type Said,
  type Share,
  sayShare,
} from "../../stream/scripts/share.ts";
import type { Places } from "./handler.ts";

/** Where the pools of all consumers say what they have. */
export interface SharedTable {
  say(own: OwnShare): Promise<Said>;
  /** Answers a pool that asks; false: another one has. */
  answer(pool: string): Promise<boolean>;
  leave(pool: string): Promise<void>;
}

/** The table of one system, in Redis. */
export const sharedTable = (redis: Redis, keys: Keys, system: string): SharedTable => {
  const key = keys.shares(system);
  return {
    say: (own) => sayShare(redis, key, own),
    answer: (pool) => answerRequest(redis, key, pool),
    leave: (pool) => endShare(redis, key, pool),
  };
};

export interface Sharing extends Loop {
  /** Its places count no more: they are free. */
  leave(): Promise<void>;
}

/** Whether it is fair that a pool gives up a place for one that was refused one; `has`: what the pools of their groups have together. */
const mayGiveUp = (giver: Share, has: { readonly givers: number; readonly askers: number }): boolean =>
  giver.has > 0 && (has.givers >= has.askers + 2 || (has.askers === 0 && (giver.idle > 0 || giver.mayBeLeftWithout)));

/**
 * Whom one of the pools answers, by giving up a place; undefined: nobody. Pure: each pool sees the same, and comes to the same end.
 *
 * The pool of the poorest group is answered first, of those that have as many who asked first, by another group's that has most, one that does not use all
 * of it before others; each answers one at a time. What counts is what groups have, however many consumers they have.
 */
export const whomToAnswer = (own: OthersShare, others: readonly OthersShare[]): string | undefined => {
  const all = [own, ...others].sort((a, b) => (a.pool < b.pool ? -1 : 1));
  const has = new Map<string, number>();
  const ofGroup = ({ group }: Share): number => has.get(group) ?? 0;
  for (const one of all) has.set(one.group, ofGroup(one) + one.has);
  const left = new Set(all);
  const asking = all
    .flatMap((one) => (one.askedAt === undefined ? [] : [{ ...one, askedAt: one.askedAt }]))
    .sort((a, b) => ofGroup(a) - ofGroup(b) || a.has - b.has || a.askedAt - b.askedAt);
  for (const asker of asking) {
    const [giver] = [...left]
      .filter((one) => one.group !== asker.group && mayGiveUp(one, { givers: ofGroup(one), askers: ofGroup(asker) }))
      .sort((a, b) => Number(b.idle > 0) - Number(a.idle > 0) || ofGroup(b) - ofGroup(a) || b.has - a.has);
    if (giver === own) return asker.pool;
    if (giver === undefined) continue;
    left.delete(giver);
    has.set(giver.group, ofGroup(giver) - 1);
    has.set(asker.group, ofGroup(asker) + 1);
  }
  return undefined;
};

/** The server counts a connection for a while after it was closed, and the one that was refused asks again meanwhile. */
const EVERY_MS = 500;
/** Who waits for an answer hears of it sooner: where there is one place in all, nobody has it meanwhile. */
const WAITING_EVERY_MS = 100;
/** What has become free may be another one's, who is answered; who asks as well looks after this time whether it still is. */
const LEFT_FOR_ANOTHER_MS = 1_000;

/**
 * A system that grants few places has given them to whoever came first, and no other group would do anything as long as that one has work. So the group
 * with the most gives one up for one that was refused one, until all have as many; an idle one goes first; and where there is one in all,
 * they take turns. Groups have consumers of their own, so they meet in Redis. Consumers of one group share nothing: what one cannot do, another one does.
 */
export const startSharing = (
  {
    table,
    group,
    log,
    signal,
  }: { readonly table: SharedTable; readonly group: string; readonly log: Logger; readonly signal: AbortSignal },
  { pool, places }: { readonly pool: string; readonly places: Places },
): Sharing => {
  let othersHad = 0;
  let isRequested = false;
  let saidAt = Number.NEGATIVE_INFINITY;
  let had = 0;
  /** The fewest since it last said so: what is idle for a moment is between two pieces. */
  let idle = Number.POSITIVE_INFINITY;
  let owesOne = false;
  let withoutSince: number | undefined;
  let wakeAt = Number.POSITIVE_INFINITY;
  const loop = startLoop({
    name: `sharing of ${group}`,
    log,
    everyMs: WAITING_EVERY_MS,
    signal,
    turn: async () => {
      idle = Math.min(idle, places.idle());
      const isWaiting = isRequested && places.isWithout();
      if (!isWaiting && performance.now() - saidAt < EVERY_MS) return "idle";
      saidAt = performance.now();
      const isNew = places.wasRefused();
      const request = isWaiting ? "repeated" : isNew ? "new" : "none";
      isRequested = request !== "none";
      const has = places.has();
      if (has === 0 && had === 0 && !isNew && !places.isWithout()) return "idle";
      had = has;
      if (has > 0) withoutSince = undefined;
      const own = { pool, group, has, idle, mayBeLeftWithout: places.mayBeLeftWithout() };
      idle = Number.POSITIVE_INFINITY;
      const { isAnswered, askedAt, others } = await table.say({ ...own, request, withoutSince });
      if (has === 0) withoutSince ??= askedAt;
      const othersHave = others.reduce((sum, other) => sum + other.has, 0);
      if (isAnswered) {
        isRequested = false;
        places.answered();
      }
      if (othersHave !== othersHad) wakeAt = performance.now() + (isRequested ? LEFT_FOR_ANOTHER_MS : 0);
      othersHad = othersHave;
      if (performance.now() >= wakeAt) {
        wakeAt = Number.POSITIVE_INFINITY;
        places.othersChanged();
      }
      const asker = owesOne ? undefined : whomToAnswer({ ...own, askedAt }, others);
      if (asker !== undefined) {
        owesOne = true;
        // It is told when the place is free: a piece of work may take long.
        places.giveUp(() => {
          owesOne = false;
          table
            .answer(asker)
            .catch((error: unknown) => log.debug({ error }, "a pool was not told that a place is free"));
        });
      }
      return "idle";
    },
  });
  return { ...loop, leave: () => table.leave(pool) };
};
