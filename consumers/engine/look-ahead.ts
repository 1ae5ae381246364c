import { type Candidate, type Doubt, ODDS_OF_NEXT } from "./doubt.ts";

/** An entry that was read: what it says of itself, and what is known of its work. */
export interface Read<Item> extends Candidate {
  readonly item: Item;
  /** How often it was passed over before. */
  readonly passes: number;
}

export interface Chosen<Item> {
  readonly attempted: readonly Item[];
  /** Wait here until they are attempted, or passed over. */
  readonly kept: readonly Item[];
  /** Come back later, unattempted. */
  readonly passed: readonly { readonly item: Item; readonly delayMs: number }[];
}

/** Chooses `count` items, evenly over all of them, the last one included: what was refused is in front. Pure. */
export const spread = <Item>(items: readonly Item[], count: number): readonly Item[] =>
  items.filter(
    (_, index) => Math.floor(((index + 1) * count) / items.length) > Math.floor((index * count) / items.length),
  );

/**
 * Chooses `count` of what is in doubt so that the answers tell most of what waits. Pure. A party's word is worth as much as pieces wait
 * for it, times its `odds`; where several are worth the same, they are chosen evenly over all of them. So strangers with one piece
 * each, however many, do not hide one for whom many wait, nor does a single one that refuses them all.
 */
export const mostTelling = <Each extends Pick<Candidate, "party">>(
  items: readonly Each[],
  count: number,
  odds: (party: string) => number,
): readonly Each[] => {
  if (items.length <= count) return items;
  const parties = [...Map.groupBy(items, (each) => each.party ?? each)].map(([party, members]) => ({
    members: members.values(),
    worth: members.length * (typeof party === "string" ? odds(party) : 1),
  }));
  const chosen: Each[] = [];
  while (chosen.length < count) {
    const best = Math.max(...parties.map(({ worth }) => worth));
    const equals = parties.filter(({ worth }) => worth === best);
    for (const each of spread(equals, Math.min(equals.length, count - chosen.length))) {
      const next = each.members.next();
      if (next.done !== true) chosen.push(next.value);
      each.worth = next.done === true ? -1 : each.worth * ODDS_OF_NEXT;
    }
  }
  return chosen;
};

const FIRST_BACK_MS = 500;
const LEAST_BACK_MS = 100;
/** The longest wait, where fewer entries are away than come back in it at this pace. */
const BACK_PER_SECOND = 500;
const LONGEST_BACK_MS = 8_000;

/**
 * When an entry that is passed over comes back, in ms: later each time, the more are `away`, so that they cost little however many they
 * are. Pure. Of those that are passed over together the last comes first: what lies next to the first welcome piece is likely to be
 * welcome. `place`: its place among them, above 0, up to 1.
 *
 * | passed over before | away   | the last | the first |
 * | ------------------ | ------ | -------- | --------- |
 * | never              | 10,000 | 0.5 s    | 1 s       |
 * | twice              | 10,000 | 2 s      | 4 s       |
 * | 4 times and more   | 10,000 | 8 s      | 16 s      |
 * | twice              | 100    | 0.2 s    | 0.4 s     |
 * | never              | 10     | 0.1 s    | 0.2 s     |
 * | 4 times            | 1,000  | 2 s      | 4 s       |
 */
export const backAfterMs = (passes: number, away: number, place: number): number => {
  const longestMs = Math.max(LEAST_BACK_MS, Math.min(LONGEST_BACK_MS, (away * 1_000) / BACK_PER_SECOND));
  return Math.round(Math.min(longestMs, FIRST_BACK_MS * 2 ** passes) * (2 - place));
};

/** Entries of one read. */
const MOST_READ = 256;
/** Entries that wait here: a look at each when a piece ends costs little. */
const MOST_KEPT = 768;
/** What waits here longer may be attempted by a peer sooner, except those that are next here. */
const LONGEST_KEPT_MS = 2_000;
const NEXT_KEPT = 64;
/** Of so many in doubt that are attempted, one was tried, while both kinds wait: what was in vain is likely to be so again. */
const TRIED_EVERY = 10;
/** Entries that may be passed over at once, and a second: each costs about a tenth of what an attempt does. */
const MOST_PASSED = 20_000;
const PASSED_PER_SECOND = 500;

/**
 * While some kind of work is in doubt, reads more entries than may be attempted, keeps them, and chooses: what is not in doubt goes
 * first; of the others those whose outcome tells most. So neither a row of pieces that are in vain, nor many among others, hold up
 * those that are welcome, and nothing idles while something waits. Beyond what can be kept, what is in doubt is passed over.
 */
export const createLookAhead = <Item>(deps: {
  readonly doubt: Pick<Doubt, "isActive" | "has" | "room" | "odds">;
  /** Monotonic, ms. */
  readonly now: () => number;
}) => {
  const { doubt, now } = deps;
  /** In the order in which they were read. */
  let kept: readonly (Read<Item> & { readonly since: number })[] = [];
  let mayPass = MOST_PASSED;
  let countedAt = now();
  /** Places since one was given to those that were tried, while both kinds wait. */
  let places = 0;
  /** Passed over, and not read again. Those of peers that this consumer reads are some of its own that they read. */
  let away = 0;

  const passable = (): number => {
    mayPass = Math.min(MOST_PASSED, mayPass + ((now() - countedAt) * PASSED_PER_SECOND) / 1_000);
    countedAt = now();
    return Math.floor(mayPass);
  };

  /** Of what is in doubt; of those that were tried, one of ten: they would wait for ever where new ones never end. */
  const someOf = <Each extends Read<Item>>(doubtful: readonly Each[], room: number): readonly Each[] => {
    const untried = doubtful.filter(({ wasTried }) => !wasTried);
    const tried = doubtful.filter(({ wasTried }) => wasTried);
    const haveBoth = untried.length > 0 && tried.length > 0;
    places = haveBoth ? places + room : 0;
    const forTried = Math.min(room, tried.length, Math.floor(places / TRIED_EVERY));
    places -= forTried * TRIED_EVERY;
    const some = mostTelling(untried, room - forTried, doubt.odds);
    return [...some, ...spread(tried, Math.max(0, Math.min(tried.length, room - some.length)))];
  };

  return {
    /** How many entries wait here. */
    kept: () => kept.length,

    /** Whether something that waits here may be attempted now, where there is room for so many. */
    mayAttempt: (room: number): boolean =>
      room > 0 && kept.length > 0 && (doubt.room({ isAlone: true }) > 0 || kept.some((each) => !doubt.has(each))),

    /** How many entries are read where so many may be attempted. */
    reads: (room: number): number => {
      const sure = kept.filter((each) => !doubt.has(each)).length;
      if (!doubt.isActive || room <= 0) return Math.max(0, room - sure);
      return sure >= room ? 0 : Math.max(0, Math.min(MOST_READ, MOST_KEPT - kept.length));
    },

    /** Of what was read or is kept, at most `allowed` are attempted; none if that is below 0. */
    choose: (read: readonly Read<Item>[], allowed: number): Chosen<Item> => {
      const most = Math.max(0, allowed);
      if (!doubt.isActive) away = 0;
      away = Math.max(0, away - read.filter(({ passes }) => passes > 0).length);
      const since = now();
      const waiting = [...kept, ...read.map((each) => ({ ...each, since }))];
      const sure = waiting.filter((each) => !doubt.has(each));
      const doubtful = waiting.filter((each) => doubt.has(each));
      const first = sure.slice(0, most);
      const left = most - first.length;
      const some = left > 0 ? someOf(doubtful, Math.min(left, doubt.room({ isAlone: true }))) : [];
      const attempted = new Set([...first, ...some]);
      const rest = waiting.filter((each) => !attempted.has(each));
      const next = [...sure, ...doubtful].filter((each) => !attempted.has(each));
      const overdue = next.slice(NEXT_KEPT).filter((each) => since - each.since > LONGEST_KEPT_MS);
      // Room for another read, if what waits here is not worth more.
      const surplus = sure.length > most ? 0 : rest.length - (MOST_KEPT - MOST_READ);
      const beyond = rest.filter((each) => doubt.has(each)).slice(0, Math.max(0, surplus));
      const passed = new Set([...overdue, ...beyond].slice(0, passable()));
      mayPass -= passed.size;
      away += passed.size;
      kept = rest.filter((each) => !passed.has(each));
      return {
        attempted: [...attempted].map(({ item }) => item),
        kept: kept.map(({ item }) => item),
        passed: [...passed].map((each, index) => ({
          item: each.item,
          // For what is not in doubt there was only no room: a peer may have some.
          delayMs: doubt.has(each) ? backAfterMs(each.passes, away, (index + 1) / passed.size) : 0,
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
