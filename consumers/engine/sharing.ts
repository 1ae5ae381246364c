import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import {
  type Answer,
  answerRequest,
  assignAnswers,
  endShare,
  type OwnShare,
  type PoolShare,
  type Said,
  type Share,
  sayShare,
} from "../../stream/scripts/share.ts";
import type { Places } from "./handler.ts";

/** Where the pools of all consumers say what they have. */
export interface SharedTable {
  say(own: OwnShare): Promise<Said>;
  /** Writes down who gives one up for whom. */
  assign(answers: readonly Answer[]): Promise<void>;
  /** Tells a pool that asks that one was given up for it. */
  answer(pool: string): Promise<void>;
  leave(pool: string): Promise<void>;
}

/** The table of one system, in Redis. */
export const sharedTable = (redis: Redis, keys: Keys, system: string): SharedTable => {
  const key = keys.shares(system);
  return {
    say: (own) => sayShare(redis, key, own),
    assign: (answers) => assignAnswers(redis, key, answers),
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
  has.givers >= has.askers + 2 || (has.askers === 0 && (giver.idle > 0 || giver.mayBeLeftWithout));

/** An idle one goes first, then one of the group that has most, of the pool that has most. */
const goesBefore = (one: Share, other: Share, ofGroup: (share: Share) => number): boolean =>
  (Number(one.idle > 0) - Number(other.idle > 0) || ofGroup(one) - ofGroup(other) || one.has - other.has) > 0;

/**
 * Who gives up a place for whom. Pure.
 *
 * The pool of the poorest group is answered first, of those that have as many who asked first, by another group's that has most, one that does not use all
 * of it before others; each answers one at a time. What counts is what groups have, however many consumers they have.
 */
export const answersOf = (pools: readonly PoolShare[]): readonly Answer[] => {
  const all = pools.toSorted((a, b) => (a.pool < b.pool ? -1 : 1));
  const has = new Map<string, number>();
  const ofGroup = ({ group }: Share): number => has.get(group) ?? 0;
  for (const one of all) has.set(one.group, ofGroup(one) + one.has);
  const left = new Set<Share>(all.filter((one) => one.has > 0));
  const asking = all
    .flatMap((one) => (one.askedAt === undefined ? [] : [{ ...one, askedAt: one.askedAt }]))
    .sort((a, b) => ofGroup(a) - ofGroup(b) || a.has - b.has || a.askedAt - b.askedAt);
  const answers: Answer[] = [];
  for (const asker of asking) {
    let giver: Share | undefined;
    for (const one of left) {
      if (one.group === asker.group || (giver !== undefined && !goesBefore(one, giver, ofGroup))) continue;
      if (mayGiveUp(one, { givers: ofGroup(one), askers: ofGroup(asker) })) giver = one;
    }
    if (giver === undefined) continue;
    answers.push({ giver: giver.pool, had: giver.has, asker: asker.pool });
    left.delete(giver);
    has.set(giver.group, ofGroup(giver) - 1);
    has.set(asker.group, ofGroup(asker) + 1);
  }
  return answers;
};

/** The server counts a connection for a while after it was closed, and the one that was refused asks again meanwhile. */
const EVERY_MS = 500;
/** Where there is no other group, nothing can be given up. */
const ALONE_EVERY_MS = 1_000;
/** Who waits for an answer hears of it sooner: where there is one place in all, nobody has it meanwhile. */
const WAITING_EVERY_MS = 100;
/** If more wait, each asks more rarely. */
const MANY_WAITING = 8;
/** Who was refused one hears of others for so long: who asks rarely is to know the next time whether the system works for them. */
export const INTERESTED_MS = 10_000;
/** A request is forgotten if it was not repeated for so long (`share.lua`): that it is gone is no answer then. */
const REQUEST_MS = 2_000;
/** What has become free may be another one's, who is answered; who asks as well looks after this time whether it still is. */
const LEFT_FOR_ANOTHER_MS = 1_000;

/** What a pool has said last, and heard. */
interface Last {
  /** Monotonic, ms. */
  readonly at: number;
  readonly has: number;
  readonly othersHave: number;
  /** Its request is not answered yet. */
  readonly isRequested: boolean;
  /** Groups there; 0: it has heard nothing. */
  readonly groups: number;
  readonly asking: number;
}

/** How long after that it says it again. Pure. */
const sayAgainAfterMs = ({ groups, asking }: Last, isWaiting: boolean): number => {
  if (groups === 1) return ALONE_EVERY_MS;
  return isWaiting ? Math.min(EVERY_MS, WAITING_EVERY_MS * Math.max(1, asking / MANY_WAITING)) : EVERY_MS;
};

/**
 * A system that grants few places has given them to whoever came first, and no other group would do anything as long as that one has work. So the group
 * with the most gives one up for one that was refused one, until all have as many; an idle one goes first; and where there is one in all,
 * they take turns. Groups have consumers of their own, so they meet in Redis, where one of them at a time looks at all, and decides. Consumers of one group
 * share nothing: what one cannot do, another one does.
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
  let last: Last = {
    at: Number.NEGATIVE_INFINITY,
    has: 0,
    othersHave: 0,
    isRequested: false,
    groups: 0,
    asking: 0,
  };
  /** The fewest since it last said so: what is idle for a moment is between two pieces. */
  let idle = Number.POSITIVE_INFINITY;
  let owesOne = false;
  let withoutSince: number | undefined;
  let wakeAt = Number.POSITIVE_INFINITY;
  /** It was refused one since it last said so. */
  let isNew = false;
  let heardAt = Number.NEGATIVE_INFINITY;

  /** Gives one up for the pool. It is told when the place is free: a piece of work may take long. */
  const giveUpFor = (asker: string): void => {
    owesOne = true;
    places.giveUp(() => {
      owesOne = false;
      table.answer(asker).catch((error: unknown) => log.debug({ error }, "a pool was not told that a place is free"));
    });
  };

  /** For whom it is to give one up. */
  const askerOf = async ({ all, asker }: Said): Promise<string | undefined> => {
    if (all === undefined) return asker;
    const answers = answersOf(all);
    await table.assign(answers.filter(({ giver }) => giver !== pool));
    return answers.find(({ giver }) => giver === pool)?.asker;
  };

  const loop = startLoop({
    name: `sharing of ${group}`,
    log,
    everyMs: WAITING_EVERY_MS,
    signal,
    turn: async () => {
      idle = Math.min(idle, places.idle());
      const isWithout = places.isWithout();
      // Who does not use what it has wants no more.
      const isWaiting = last.isRequested && (isWithout || (places.has() > 0 && idle === 0));
      const at = performance.now();
      isNew ||= places.wasRefused();
      const refusedAt = places.refusedAt();
      // What others have says what it means that it was refused.
      const isUrgent = refusedAt > last.at && places.has() === 0 && !isWithout;
      if (!isUrgent && at - last.at < sayAgainAfterMs(last, isWaiting && isWithout)) return "idle";
      const request = isWaiting ? "repeated" : isNew ? "new" : "none";
      const has = places.has();
      const isInterested = at - refusedAt <= INTERESTED_MS;
      const isOfNoInterest = has === 0 && last.has === 0 && !isInterested && !isWithout;
      const before = last;
      last = { ...last, at, has, isRequested: request !== "none", groups: 0 };
      isNew = false;
      if (isOfNoInterest) return "idle";
      if (has > 0) withoutSince = undefined;
      const own = { pool, group, has, idle, mayBeLeftWithout: places.mayBeLeftWithout() };
      idle = Number.POSITIVE_INFINITY;
      const said = await table.say({ ...own, request, withoutSince });
      const isAnswered = said.isAnswered && at - heardAt < REQUEST_MS;
      heardAt = performance.now();
      const { othersHave, groups, asking } = said;
      if (has === 0) withoutSince ??= said.askedAt;
      last = { ...last, othersHave, groups, asking, isRequested: last.isRequested && !said.isAnswered };
      places.othersHave(othersHave);
      if (isAnswered) places.answered();
      if (othersHave !== before.othersHave) {
        wakeAt = performance.now() + (last.isRequested ? LEFT_FOR_ANOTHER_MS : 0);
      }
      if (performance.now() >= wakeAt) {
        wakeAt = Number.POSITIVE_INFINITY;
        places.othersChanged();
      }
      const asker = await askerOf(said);
      if (asker !== undefined && !owesOne) giveUpFor(asker);
      return "idle";
    },
  });
  return { ...loop, leave: () => table.leave(pool) };
};
