/** What a server owes its word on: a connection, or a mail that wants to send its body. */
export interface Dialogue {
  /** How often the mail failed before: then it gets more time. */
  readonly failures: number;
  /** The server has answered this mail's sender: what it owes is its word on the recipient. */
  readonly isAboutRecipient: () => boolean;
  readonly cut: () => void;
}

export interface UnderWay extends Dialogue {
  /** Monotonic, ms. */
  readonly startedAt: number;
}

/** What is known when mails wait for a connection. */
interface Known {
  readonly now: number;
  /** How long one takes, lately, in ms. */
  readonly usualMs: number;
  /** One that took less is not slow, in ms. */
  readonly leastMs: number;
  /** Monotonic, ms: the last beginning of one that got on. */
  readonly goodSince: number;
  /** Connections that are granted. */
  readonly granted: number;
}

/** While mails wait for a connection, less than this is not slow, in ms: some servers let each client wait for their greeting. */
export const SLOW_OPENING_MS = 2_000;
export const SLOW_MS = 250;
/** So many times what is usual is slow. */
const SLOW_TIMES = 8;
/** While nobody gets on, it may be the server that is slow; then only those are cut that wait for a word on their recipient. */
const NOBODY_MS = 2_000;
/** After each failure a mail gets so many times as long. */
const LONGER_TIMES = 4;
/** Of the connections that are granted, slow mails keep this share; one at least. */
const SLOW_SHARE = 0.25;

const isSlow = ({ startedAt, failures, isAboutRecipient }: UnderWay, known: Known): boolean => {
  const { now, usualMs, leastMs, goodSince } = known;
  const others = goodSince > startedAt;
  if (!others && !isAboutRecipient()) return false;
  const slowMs = Math.max(others ? leastMs : NOBODY_MS, SLOW_TIMES * usualMs) * LONGER_TIMES ** failures;
  return now - startedAt > slowMs;
};

/**
 * Which dialogues are cut, so that the mails that wait get their connections. Pure. RFC 5321 §4.5.3.2 has a client wait for minutes: so the
 * oldest ones may, on a quarter of the connections, until the deadline of a mail; and those that are cut come back with more time.
 *
 * | connections | under way                                                | cut                          |
 * | ----------- | -------------------------------------------------------- | ---------------------------- |
 * | 8           | 8 for 1 s, and none of those that began later got on      | none: the server may be slow |
 * | 8           | 8 for 1 s, while some that began later got on             | the youngest 6               |
 * | 8           | 8 for 3 s, and all wait for a word on their recipient     | the youngest 6               |
 * | 8           | 2 for 20 s                                               | none                         |
 */
export const tooSlow = <Each extends UnderWay>(underWay: readonly Each[], known: Known): readonly Each[] => {
  const kept = Math.max(1, Math.floor(SLOW_SHARE * known.granted));
  return underWay
    .filter((each) => isSlow(each, known))
    .toSorted((one, other) => one.startedAt - other.startedAt)
    .slice(kept);
};

/** Share of the newest dialogue in what is usual. */
const NEWEST = 0.1;
const LOOK_EVERY_MS = 100;

/** Watches the dialogues with a server while mails wait for a connection. */
export interface Patience {
  /** Watches one until it ends. */
  watch(dialogue: Dialogue): { readonly gotOn: () => void; readonly end: () => void };
}

export const createPatience = (
  deps: {
    readonly now: () => number;
    readonly granted: () => number;
    /** Whether mails wait for a connection. */
    readonly isWaitedFor: () => boolean;
  },
  leastMs: number,
): Patience => {
  const { now, granted, isWaitedFor } = deps;
  const underWay = new Set<UnderWay>();
  let usualMs = 0;
  let goodSince = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setInterval> | undefined;

  let lookedAt = 0;

  const look = (): void => {
    // Late, it may be this process that was slow: what the server said has not been read yet.
    const isLate = now() - lookedAt > 2 * LOOK_EVERY_MS;
    lookedAt = now();
    if (isLate || !isWaitedFor()) return;
    for (const each of tooSlow([...underWay], { now: now(), usualMs, leastMs, goodSince, granted: granted() })) {
      underWay.delete(each);
      each.cut();
    }
  };

  return {
    watch: (given) => {
      const dialogue = { ...given, startedAt: now() };
      underWay.add(dialogue);
      if (timer === undefined) lookedAt = now();
      timer ??= setInterval(look, LOOK_EVERY_MS);
      const end = () => {
        underWay.delete(dialogue);
        if (underWay.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
      const gotOn = () => {
        const tookMs = now() - dialogue.startedAt;
        usualMs = usualMs === 0 ? tookMs : usualMs + NEWEST * (tookMs - usualMs);
        goodSince = Math.max(goodSince, dialogue.startedAt);
        end();
      };
      return { gotOn, end };
    },
  };
};
