import { backAfterMs } from "./back-after.ts";
import type { Candidate, Doubt } from "./doubt.ts";
import { mostTelling, spread, tellingOfSeveral } from "./telling.ts";

/** An entry that was read: what it says of itself, and what is known of its work. */
export interface Read<Item> extends Candidate {
  readonly item: Item;
  /** How often it was passed over before. */
  readonly passes: number;
}

interface Kept<Item> extends Read<Item> {
  /** Monotonic, ms: when it was read and looked up. */
  readonly since: number;
}

export interface Chosen<Item> {
  readonly attempted: readonly Item[];
  /** Of those that were read: they wait here until they are attempted, or passed over. */
  readonly kept: readonly Item[];
  /** Come back later, unattempted. */
  readonly passed: readonly { readonly item: Item; readonly delayMs: number }[];
}

/** Those of which it is true, and the others; each in order. */
const apart = <Each>(items: readonly Each[], isFirst: (each: Each) => boolean): readonly [Each[], Each[]] => {
  const both: [Each[], Each[]] = [[], []];
  for (const each of items) both[isFirst(each) ? 0 : 1].push(each);
  return both;
};

/** What is asked of the doubt. */
export type Suspicion = Pick<
  Doubt,
  | "isActive"
  | "isVain"
  | "has"
  | "isSlow"
  | "look"
  | "isStranger"
  | "most"
  | "perSecond"
  | "room"
  | "roomForSlow"
  | "roomForStrangers"
  | "roomForTried"
  | "roomToAsk"
  | "odds"
  | "oddsBefore"
  | "oddsBeside"
>;

/** Entries of one read. */
const MOST_READ = 256;
/** Entries that wait here: a look at each when a piece ends costs little. */
const MOST_KEPT = 384;
/** While no kind is in vain, so many, and more for each millisecond for which there is room: a peer may have some, too. */
const KEPT_FIRST = 96;
const KEPT_PER_MS = 1;
/** Nor more than can be attempted in so long, in seconds: they would be out of turn. */
const KEPT_S = 0.5;
/** Below this share of what is welcome as much is read as may be. */
const LEAST_SHARE = 0.01;
/** What waits here longer may be attempted by a peer sooner, except those that are next here. */
const LONGEST_KEPT_MS = 2_000;
const NEXT_KEPT = 64;
/** Nothing waits here longer: what was found out about it may not be true any more, and it holds back what the group has done. */
const STALE_MS = 5_000;
/** Of so many in doubt that are attempted, one has been passed over most often: others whose answers tell more may never end. */
const OLDEST_EVERY = 8;
/** Of so many in doubt that are attempted, one was tried, while both kinds wait: what was in vain is likely to be so again. */
const TRIED_EVERY = 10;
/** For so long after half of what may be in flight waited, and was not in doubt, the next read is likely to find more of it. */
const MANY_LATELY_MS = 250;
/** So long answers are waited for that may tell of half of what waits here, before more is read; then for this share of the time. */
const LONGEST_WAIT_MS = 1_000;
const WAITING_SHARE = 0.1;
/** Entries that may be passed over at once, and a second: each costs about a tenth of what an attempt does. */
const MOST_PASSED = 20_000;
const PASSED_PER_SECOND = 500;

/**
 * While some kind of work is in doubt, reads more entries than may be attempted, keeps them, and chooses: what is not in doubt goes
 * first; of the others those whose outcome tells most. So neither a row of pieces that are in vain, nor many among others, hold up
 * those that are welcome, and nothing idles while something waits. Beyond what can be kept, what is in doubt is passed over.
 */
export const createLookAhead = <Item>(deps: {
  readonly doubt: Suspicion;
  /** How many may be in flight now. */
  readonly allowance: () => number;
  /** Monotonic, ms. */
  readonly now: () => number;
}) => {
  const { doubt, allowance, now } = deps;
  /** In the order in which they were read. */
  let kept: readonly Kept<Item>[] = [];
  let mayPass = MOST_PASSED;
  let countedAt = now();
  /** Places since one was given to those that were tried, while both kinds wait. */
  let places = 0;
  /** Places since one was given to what has been passed over most often. */
  let forOldest = 0;
  /** Passed over, and not read again. Those of peers that this consumer reads are some of its own that they read. */
  let away = 0;

  /** Of what left lately, so much was welcome: no more is read than holds enough of it. */
  let welcomeShare = 0;
  /** Monotonic, ms: when as many were chosen as there was room for. */
  let filledAt = now();
  /** Monotonic, ms: when many waited that were not in doubt. */
  let manyAt = Number.NEGATIVE_INFINITY;
  const others = () => (now() - manyAt < MANY_LATELY_MS ? "many" : "few");
  const isSlow = (each: Candidate): boolean => doubt.isSlow(each);
  const isInDoubt = (each: Candidate): boolean => doubt.has(each);
  const waits = (each: Candidate): boolean => isSlow(each) || isInDoubt(each);

  /** For how long answers may be waited for, in ms. Below 0 after a wait that was looked at late. */
  let mayWaitMs = LONGEST_WAIT_MS;
  let isWaiting = false;
  let waitCountedAt = now();

  /** Whether those that may be asked at the same time can tell of half of what is kept: what is read meanwhile would be passed over. */
  const mayTellOfHalf = (waiting: readonly Read<Item>[]): boolean => {
    const parties = Map.groupBy(waiting, (each) => each.party ?? each);
    const worths = [...parties].map(
      ([party, members]) => members.length * (typeof party === "string" ? doubt.oddsBefore(party) : 1),
    );
    const told = worths.toSorted((one, other) => other - one).slice(0, doubt.most);
    return told.reduce((sum, worth) => sum + worth, 0) >= waiting.length / 2;
  };

  /** Whether answers are waited for from now on. Until it is asked again, which counts the time: what is welcome meanwhile grants no more of it. */
  const isWorthWaiting = (waiting: readonly Read<Item>[], sure: number): boolean => {
    const passedMs = now() - waitCountedAt;
    waitCountedAt += passedMs;
    const left = Math.min(LONGEST_WAIT_MS, mayWaitMs + passedMs * WAITING_SHARE) - (isWaiting ? passedMs : 0);
    mayWaitMs = Math.max(-LONGEST_WAIT_MS, left);
    isWaiting = sure === 0 && mayWaitMs > 0 && waiting.length >= MOST_KEPT - MOST_READ && mayTellOfHalf(waiting);
    return isWaiting;
  };

  /** Of what is in doubt, what is attempted although others are welcome: it tells of several. While no kind is in vain, one of the others. */
  const askedOf = <Each extends Read<Item>>(doubtful: readonly Each[], most: number): readonly Each[] => {
    const room = doubtful.length === 0 ? 0 : Math.min(most, doubt.roomToAsk());
    if (room <= 0) return [];
    const untried = doubtful.filter(({ wasTried }) => !wasTried);
    const several = tellingOfSeveral(untried, doubt);
    if (several.length > 0) return mostTelling(several, room, doubt);
    return doubt.isVain ? [] : untriedOf(untried, Math.min(1, doubt.roomForStrangers(), doubt.room("many")));
  };

  /** In order; strangers wait while there are as many as may be under way. */
  const inTurn = <Each extends Read<Item>>(sure: readonly Each[], count: number): readonly Each[] => {
    let room = sure.some((each) => doubt.isStranger(each)) ? doubt.roomForStrangers() : 0;
    const mayGo = (each: Each): boolean => !doubt.isStranger(each) || room-- > 0;
    return sure.filter(mayGo).slice(0, count);
  };

  const nextKept = () => Math.min(NEXT_KEPT, 2 * allowance());

  const passable = (): number => {
    mayPass = Math.min(MOST_PASSED, mayPass + ((now() - countedAt) * PASSED_PER_SECOND) / 1_000);
    countedAt = now();
    return Math.floor(mayPass);
  };

  const untriedOf = <Each extends Read<Item>>(untried: readonly Each[], count: number): readonly Each[] => {
    if (untried.length <= count) return untried;
    if (count <= 0) return [];
    forOldest += count;
    if (forOldest < OLDEST_EVERY) return mostTelling(untried, count, doubt);
    forOldest = 0;
    const oldest = untried.reduce((one, other) => (other.passes > one.passes ? other : one));
    const others = untried.filter((each) => each !== oldest);
    return [oldest, ...mostTelling(others, count - 1, doubt)];
  };

  /**
   * Of what is in doubt; of those that were tried, one of ten: they would wait for ever where new ones never end. They take longer than new
   * ones, as they get more time each time, so they are also no more than a tenth of what is under way.
   */
  const someOf = <Each extends Read<Item>>(doubtful: readonly Each[], room: number): readonly Each[] => {
    const untried = doubtful.filter(({ wasTried }) => !wasTried);
    const tried = doubtful.filter(({ wasTried }) => wasTried);
    const haveBoth = untried.length > 0 && tried.length > 0;
    places = haveBoth ? places + room : 0;
    const mostTried = haveBoth ? Math.min(room, doubt.roomForTried()) : room;
    const forTried = Math.min(mostTried, tried.length, Math.floor(places / TRIED_EVERY));
    places -= forTried * TRIED_EVERY;
    const some = untriedOf(untried, Math.min(room - forTried, doubt.roomForStrangers()));
    return [...some, ...spread(tried, Math.max(0, Math.min(tried.length, mostTried, room - some.length)))];
  };

  return {
    /** How many entries wait here. */
    kept: () => kept.length,

    /** Whether something has waited here for so long that it goes back. */
    isOverdue: (): boolean => {
      const [oldest] = kept;
      if (oldest === undefined) return false;
      return now() - oldest.since > (kept.length > nextKept() ? LONGEST_KEPT_MS : STALE_MS);
    },

    /** Whether something that waits here may be attempted now, where there is room for so many. */
    mayAttempt: (room: number): boolean => {
      if (room <= 0 || kept.length === 0) return false;
      const [slow, quick] = apart(kept, isSlow);
      if (slow.length > 0 && doubt.roomForSlow(others()) > 0) return true;
      const isRoomForDoubt = doubt.room(others()) > 0;
      const some = quick.filter((each) => isRoomForDoubt || !doubt.has(each));
      if (some.some((each) => !doubt.isStranger(each))) return true;
      return some.length > 0 && doubt.roomForStrangers() > 0;
    },

    /** How many entries are read where so many may be attempted. */
    reads: (room: number): number => {
      const sure = kept.filter((each) => !waits(each)).length;
      if (!doubt.isActive || room <= 0) return Math.max(0, room - sure);
      const quick = kept.filter((each) => !isSlow(each));
      if (sure >= room || isWorthWaiting(quick, sure)) return 0;
      const soon = Math.min(KEPT_FIRST + (now() - filledAt) * KEPT_PER_MS, KEPT_S * doubt.perSecond);
      const mostKept = doubt.isVain ? MOST_KEPT : Math.min(MOST_KEPT, soon);
      const wanted = Math.ceil((nextKept() - sure) / Math.max(LEAST_SHARE, welcomeShare));
      // Also where a piece takes longer than that: else what is new would wait behind retries.
      const least = kept.length < nextKept() ? room - sure : 0;
      return Math.max(least, Math.min(MOST_READ, wanted, Math.floor(mostKept) - kept.length));
    },

    /** Of what was read or is kept, at most `allowed` are attempted; none if that is below 0. */
    choose: (read: readonly Read<Item>[], allowed: number): Chosen<Item> => {
      const most = Math.max(0, allowed);
      if (!doubt.isActive) away = 0;
      away = Math.max(0, away - read.filter(({ passes }) => passes > 0).length);
      const since = now();
      const [stale, fresh] = apart(kept, (each) => since - each.since > STALE_MS);
      const added = read.map((each) => ({ ...each, since }));
      doubt.look([...fresh, ...added]);
      const [slow, quick] = apart([...fresh, ...added], isSlow);
      const [doubtful, sure] = apart(quick, isInDoubt);
      if (2 * sure.filter((each) => !doubt.isStranger(each)).length >= allowance()) manyAt = since;
      const beside = slow.slice(0, Math.min(most, doubt.roomForSlow("many")));
      const mostQuick = most - beside.length;
      const asked = askedOf(doubtful, mostQuick);
      const first = inTurn(sure, mostQuick - asked.length);
      const left = mostQuick - asked.length - first.length;
      const unasked = doubtful.filter((each) => !asked.includes(each));
      const some = left > 0 ? someOf(unasked, Math.min(left, doubt.room(others()))) : [];
      const roomForSlow = Math.max(0, doubt.roomForSlow(others()) - beside.length);
      const more = slow.slice(beside.length).slice(0, Math.min(left - some.length, roomForSlow));
      const attempted = new Set([...beside, ...asked, ...first, ...some, ...more]);
      if (attempted.size >= most) filledAt = since;
      const isLeft = (each: Kept<Item>) => !attempted.has(each);
      const nextQuick = [...sure, ...doubtful].filter(isLeft);
      const nextSlow = slow.filter(isLeft);
      const unchosen = [...doubtful.filter(isLeft), ...nextSlow];
      const next = [...nextQuick, ...nextSlow];
      const overdue = next.slice(nextKept()).filter((each) => since - each.since > LONGEST_KEPT_MS);
      // Room for another read, if what waits here is not worth more.
      const isWorthMore = !doubt.isVain || isWorthWaiting(nextQuick, sure.length) || sure.length > most;
      const surplus = isWorthMore ? 0 : next.length - (MOST_KEPT - MOST_READ);
      const [unlikely, likely] = apart(surplus > 0 ? unchosen : [], (each) => doubt.oddsBeside(each) === 1);
      const beyond = [...unlikely, ...likely].slice(0, Math.max(0, surplus));
      const passed = new Set([...stale, ...[...overdue, ...beyond].slice(0, passable())]);
      const decided = attempted.size + passed.size;
      const newest = Math.min(1, decided / MOST_READ);
      if (decided > 0) welcomeShare += newest * (first.length / decided - welcomeShare);
      mayPass = Math.max(0, mayPass - passed.size);
      away += passed.size;
      const stays = (each: Kept<Item>) => !attempted.has(each) && !passed.has(each);
      const addedToKept = added.filter(stays);
      kept = [...fresh.filter(stays), ...addedToKept];
      return {
        attempted: [...attempted].map(({ item }) => item),
        kept: addedToKept.map(({ item }) => item),
        passed: [...passed].map((each, index) => ({
          item: each.item,
          // For what is not in doubt there was only no room: a peer may have some.
          delayMs: waits(each) ? backAfterMs(each.passes, away, (index + 1) / passed.size) : 0,
        })),
      };
    },

    /** What waited here does so no more. */
    letGo: (): readonly Item[] => {
      const items = kept.map(({ item }) => item);
      kept = [];
      return items;
    },
  };
};

export type LookAhead<Item> = ReturnType<typeof createLookAhead<Item>>;
