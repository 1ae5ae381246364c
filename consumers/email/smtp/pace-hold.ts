/** A rate is kept for this share of the time for which it has stood; a slow one for this larger share, or for so many mails. */
const SHARE = 0.05;
const SLOW_SHARE = 0.15;
const MAILS = 60;
const SHORTEST_MS = 1_000;
const LONGEST_MS = 120_000;
/** What differs by less is the same rate. */
const ALIKE = 1.15;

/** Then more is tried, by so much at first. */
const FIRST_STEP = 0.02;
/** A rate that has stood for less than this time divided by the first step is not sure yet: the step is larger then. */
const SURE_MS = 500;
const LARGEST_FIRST_STEP = 0.1;

/** A rate that the server grants, and for how long about that one has stood. */
export interface KnownRate {
  readonly perSecond: number;
  readonly stoodMs: number;
}

/** How long it has stood when the server is found to grant `perSecond`: the less that has in common with what it granted before, the less the time counts. */
export const stillKnown = (before: KnownRate | undefined, perSecond: number): KnownRate => {
  if (before === undefined) return { perSecond, stoodMs: 0 };
  const [low, high] = [Math.min(before.perSecond, perSecond), Math.max(before.perSecond, perSecond)];
  return { perSecond, stoodMs: before.stoodMs * Math.min(1, (ALIKE * low) / high) ** 2 };
};

/** How long little less than this is asked for, in ms, until more is tried. 50 a second: 1 s at first, 3 s after a minute, 2 min after 40. */
export const holdMs = ({ perSecond, stoodMs }: KnownRate): number => {
  const mostMs = Math.max(SHARE * stoodMs, (1_000 * MAILS) / perSecond);
  return Math.max(SHORTEST_MS, Math.min(SLOW_SHARE * stoodMs, mostMs, LONGEST_MS));
};

/** By how much more is tried then, as a share. A rate that has just been found: 0.1; one that has stood for 25 s: 0.02. */
export const firstStep = ({ stoodMs }: KnownRate): number =>
  Math.max(FIRST_STEP, Math.min(LARGEST_FIRST_STEP, SURE_MS / Math.max(1, stoodMs)));
