/** What a server owes its word on: a connection, or a mail that wants to send its body. */
export interface Dialogue {
  /** How often the mail failed before: then it gets more time. */
  readonly failures: number;
  readonly cut: () => void;
}

export interface UnderWay extends Dialogue {
  /** Monotonic, ms. */
  readonly startedAt: number;
}

/** What is known when mails wait for a connection. */
interface Known {
  readonly now: number;
  /** How long one takes, lately, in ms; 0: none got on yet. */
  readonly usualMs: number;
  /** How long slow ones take that get on in the end, in ms, where most do; 0: most are in vain. */
  readonly slowGoodMs: number;
  /** One that took less is not slow, in ms. */
  readonly leastMs: number;
  /** While nobody gets on, it may be the server that is slow: then one that took less is not, in ms. */
  readonly nobodyMs: number;
  /** Of the connections that are granted, slow ones keep this share. */
  readonly slowShare: number;
  /** Monotonic, ms: the last beginning of one that got on. */
  readonly goodSince: number;
  /** Connections that are granted. */
  readonly granted: number;
}

/** So many times what is usual is slow. */
const SLOW_TIMES = 5;
/** Where slow ones get on, to cut them is in vain: they are, after so many times what those take. */
const SLOW_GOOD_TIMES = 2;
/** After each failure a mail gets so many times as long. */
const LONGER_TIMES = 4;

const isSlow = ({ startedAt, failures }: UnderWay, known: Known): boolean => {
  const { now, usualMs, slowGoodMs, leastMs, nobodyMs, goodSince } = known;
  const leastSlowMs = Math.max(goodSince > startedAt ? leastMs : nobodyMs, SLOW_GOOD_TIMES * slowGoodMs);
  return now - startedAt > Math.max(leastSlowMs, SLOW_TIMES * usualMs) * LONGER_TIMES ** failures;
};

/**
 * Which dialogues are cut, so that the mails that wait get their connections. Pure. Nobody knows before whether the server will be slow
 * about a mail; what is bounded is how many connections are slow at a time. RFC 5321 §4.5.3.2 has a client wait for minutes: so the
 * oldest ones may, on a tenth of the connections, until the deadline of a mail, and those that are cut come back soon, with more time.
 * While none has got on yet, one is kept at least: if it gets on, its time is usual. Where most of those that are kept get on, slowness
 * is no sign of what is in vain, and they have twice their time.
 *
 * | connections | under way                                                   | cut                                |
 * | ----------- | ----------------------------------------------------------- | ---------------------------------- |
 * | 20          | 20 for 0.5 s, and none of those that began later got on     | none: the server may be slow       |
 * | 20          | 20 for 0.5 s, while some that began later got on            | the youngest 18                    |
 * | 20          | 20 for 1 s, and nobody gets on                              | the youngest 18                    |
 * | 20          | 2 for 20 s                                                  | none                               |
 * | 4           | 1 for 1 s, while nobody gets on, and 5 ms were usual        | it                                 |
 */
export const tooSlow = <Each extends UnderWay>(underWay: readonly Each[], known: Known): readonly Each[] => {
  const kept = Math.max(known.usualMs === 0 ? 1 : 0, Math.floor(known.slowShare * known.granted));
  return underWay
    .filter((each) => isSlow(each, known))
    .toSorted((one, other) => one.startedAt - other.startedAt)
    .slice(kept);
};

/** Share of the newest dialogue in what is usual, and of the newest slow one in what becomes of them. */
const NEWEST = 0.2;
/** Slow ones that get on, of all that end: more are most. */
const MOST = 0.5;
const LOOK_EVERY_MS = 25;
/** A look that comes so long after the last one shows that this process is slow: what the server said may not be read before the next one. */
const LATE_MS = 50;

/** Watches the dialogues with a server while mails wait for a connection. */
export interface Patience {
  /** Watches one until it ends. */
  watch(dialogue: Dialogue): { readonly gotOn: () => void; readonly end: () => void };
  /** How long one takes that gets on, lately, in ms; 0: none has. */
  usualMs(): number;
}

type Bounds = Pick<Known, "leastMs" | "nobodyMs" | "slowShare">;

/** Some servers let each client wait for their greeting; but not for longer than one that came later. */
export const OPENING: Bounds = { leastMs: 1_000, nobodyMs: Number.POSITIVE_INFINITY, slowShare: 0 };
export const MAIL: Bounds = { leastMs: 60, nobodyMs: 500, slowShare: 0.1 };

export const createPatience = (
  deps: {
    readonly now: () => number;
    readonly granted: () => number;
    /** Whether mails wait for a connection. */
    readonly isWaitedFor: () => boolean;
  },
  bounds: Bounds,
): Patience => {
  const { now, granted, isWaitedFor } = deps;
  const underWay = new Set<UnderWay>();
  let usualMs = 0;
  /** Of the slow ones that ended by themselves: which share got on, and how long these took. */
  const slow = { gotOn: 0, ms: 0 };
  let goodSince = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setInterval> | undefined;
  let lookedAt = 0;
  let wasLate = false;

  const look = (): void => {
    // Where each look is late, every second one counts.
    wasLate = !wasLate && now() - lookedAt > LATE_MS;
    lookedAt = now();
    if (wasLate || !isWaitedFor()) return;
    const slowGoodMs = slow.gotOn > MOST ? slow.ms : 0;
    const known = { ...bounds, now: now(), usualMs, slowGoodMs, goodSince, granted: granted() };
    for (const each of tooSlow([...underWay], known)) {
      underWay.delete(each);
      each.cut();
    }
  };

  const judge = (tookMs: number, hasGotOn: boolean): void => {
    if (tookMs < Math.max(bounds.leastMs, SLOW_TIMES * usualMs)) return;
    slow.gotOn += NEWEST * (Number(hasGotOn) - slow.gotOn);
    if (hasGotOn) slow.ms = slow.ms === 0 ? tookMs : slow.ms + NEWEST * (tookMs - slow.ms);
  };

  return {
    usualMs: () => usualMs,
    watch: (given) => {
      const dialogue = { ...given, startedAt: now() };
      underWay.add(dialogue);
      if (timer === undefined) lookedAt = now();
      timer ??= setInterval(look, LOOK_EVERY_MS);
      const end = (hasGotOn = false) => {
        // One that was cut shows nothing.
        if (underWay.delete(dialogue)) judge(now() - dialogue.startedAt, hasGotOn);
        if (underWay.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
      const gotOn = () => {
        const tookMs = now() - dialogue.startedAt;
        end(true);
        usualMs = usualMs === 0 ? tookMs : usualMs + NEWEST * (tookMs - usualMs);
        goodSince = Math.max(goodSince, dialogue.startedAt);
      };
      return { gotOn, end: () => end() };
    },
  };
};
