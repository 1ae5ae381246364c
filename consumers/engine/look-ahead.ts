import type { Doubt } from "./doubt.ts";

/** An entry that was read: what it says of itself, and what is known of its work. */
export interface Read<Item> {
  readonly item: Item;
  /** Pieces like it were in vain lately. */
  readonly isDoubtful: boolean;
  /** It was attempted before, and failed. */
  readonly wasTried: boolean;
  /** How often it was passed over before. */
  readonly passes: number;
}

export interface Chosen<Item> {
  readonly attempted: readonly Item[];
  /** Come back later, unattempted. */
  readonly passed: readonly { readonly item: Item; readonly delayMs: number }[];
}

/** Chooses `count` items, evenly over all of them, the last one included: what was refused is in front. Pure. */
export const spread = <Item>(
  items: readonly Item[],
  count: number,
): { chosen: readonly Item[]; others: readonly Item[] } => {
  const isChosen = (index: number) =>
    Math.floor(((index + 1) * count) / items.length) > Math.floor((index * count) / items.length);
  return {
    chosen: items.filter((_, index) => isChosen(index)),
    others: items.filter((_, index) => !isChosen(index)),
  };
};

const FIRST_BACK_MS = 500;
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
 * | twice              | 100    | 0.5 s    | 1 s       |
 * | 4 times            | 1,000  | 2 s      | 4 s       |
 */
export const backAfterMs = (passes: number, away: number, place: number): number => {
  const longestMs = Math.max(FIRST_BACK_MS, Math.min(LONGEST_BACK_MS, (away * 1_000) / BACK_PER_SECOND));
  return Math.round(Math.min(longestMs, FIRST_BACK_MS * 2 ** passes) * (2 - place));
};

/** Entries of one read. */
const MOST_READ = 256;
const MOST_TIMES = 1_024;
/** Entries that may be passed over at once, and a second: each costs about a tenth of what an attempt does. */
const MOST_PASSED = 20_000;
const PASSED_PER_SECOND = 500;

/**
 * Reads more entries than may be attempted while some kind of work is in doubt, and chooses: what is not in doubt goes first, a few of
 * the others, evenly over all that were read, find out what became of them. So neither a row of pieces that are in vain, nor many
 * among others, hold up those that are welcome.
 */
export const createLookAhead = (deps: {
  readonly doubt: Pick<Doubt, "isActive" | "room">;
  /** Monotonic, ms. */
  readonly now: () => number;
}) => {
  const { doubt, now } = deps;
  /** How many entries are read for each that may be attempted. */
  let times = 1;
  let mayPass = MOST_PASSED;
  let countedAt = now();
  /** Over a single place, those that were tried and the others take turns. */
  let isTurnOfTried = false;
  /** Passed over, and not read again. Those of peers that this consumer reads are some of its own that they read. */
  let away = 0;

  const passable = (): number => {
    mayPass = Math.min(MOST_PASSED, mayPass + ((now() - countedAt) * PASSED_PER_SECOND) / 1_000);
    countedAt = now();
    return Math.floor(mayPass);
  };

  return {
    /** Whether nothing can be read before a piece ends: no more may be passed over now, and those in doubt have all their room. */
    isStopped: (room: number): boolean =>
      room > 0 && doubt.isActive && passable() < room && doubt.room({ isAlone: true }) === 0,

    /** How many entries are read where so many may be attempted. */
    reads: (room: number): number => {
      if (!doubt.isActive) {
        times = 1;
        away = 0;
      }
      if (room <= 0 || !doubt.isActive) return room;
      const most = passable();
      if (most < room) return Math.min(room, doubt.room({ isAlone: true }));
      return Math.max(room, Math.floor(Math.min(MOST_READ, most, room * times)));
    },

    /** Of what was read, at most `most` are attempted. */
    choose: <Item>(read: readonly Read<Item>[], most: number): Chosen<Item> => {
      away = Math.max(0, away - read.filter(({ passes }) => passes > 0).length);
      const sure = read.filter(({ isDoubtful }) => !isDoubtful);
      const doubtful = read.filter(({ isDoubtful }) => isDoubtful);
      if (doubt.isActive && read.length > 0) {
        times = Math.min(MOST_TIMES, 2 * times, sure.length === 0 ? MOST_TIMES : read.length / sure.length);
      }
      const first = sure.slice(0, most);
      const room = Math.min(most - first.length, doubt.room({ isAlone: sure.length === 0 }));
      const untried = doubtful.filter(({ wasTried }) => !wasTried);
      const tried = doubtful.filter(({ wasTried }) => wasTried);
      // Of those that were tried, one at least is: they would wait for ever where new ones never end.
      const haveBoth = untried.length > 0 && tried.length > 0;
      const isShared = haveBoth && room === 1;
      const forTried = !haveBoth || (isShared && !isTurnOfTried) ? 0 : 1;
      if (isShared) isTurnOfTried = !isTurnOfTried;
      const some = spread(untried, Math.max(0, Math.min(untried.length, room - forTried)));
      const again = spread(tried, Math.max(0, Math.min(tried.length, room - some.chosen.length)));
      // For what is not in doubt there was only no room: soon there is.
      const beyond = sure.slice(first.length).map((each) => ({ ...each, passes: 0 }));
      const later = [...beyond, ...some.others, ...again.others];
      if (later.length > passable()) return { attempted: read.map(({ item }) => item), passed: [] };
      mayPass -= later.length;
      away += later.length;
      return {
        attempted: [...first, ...some.chosen, ...again.chosen].map(({ item }) => item),
        passed: later.map(({ item, passes }, index) => ({
          item,
          delayMs: backAfterMs(passes, away, (index + 1) / later.length),
        })),
      };
    },
  };
};

export type LookAhead = ReturnType<typeof createLookAhead>;
