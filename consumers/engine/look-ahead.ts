/** A row of refusals: everything is declined, by different parties. */
export interface Row {
  readonly declined: number;
  readonly forMs: number;
}

/** Fewer, or in a shorter time, may be a few that came together. */
const LEAST_DECLINED = 20;
/** What is declined at once is soon behind: until then the order stays that of the log. */
const FIRST_MS = 1_200;
/** After each such time, twice as many are passed over. */
const DOUBLES_EVERY_MS = 300;
const MOST_DOUBLINGS = 10;

/**
 * Of how many new entries one is attempted, so that the first welcome piece behind a row of refusals does not wait for all of
 * them: in 5 s the reader passes a thousand for each slot, however slow a refusal is. Pure.
 *
 * | declined in a row | for     | one of |
 * | ----------------- | ------- | ------ |
 * | 19                | 10 s    | 1      |
 * | 1,000             | 1.1 s   | 1      |
 * | 20                | 1.2 s   | 2      |
 * | 20                | 1.5 s   | 4      |
 * | 20                | 2.4 s   | 32     |
 * | 20                | 1 min   | 1,024  |
 */
export const oneOf = ({ declined, forMs }: Row): number =>
  declined < LEAST_DECLINED || forMs < FIRST_MS
    ? 1
    : 2 ** Math.min(MOST_DOUBLINGS, 1 + Math.floor((forMs - FIRST_MS) / DOUBLES_EVERY_MS));

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
const LAST_BACK_MS = 6_000;

/**
 * When what was passed over comes back, in ms. Pure. What lies next to the first welcome piece is likely to be welcome, and was read
 * last, of the most: so the last ones come back first, and those of a short look ahead after those of a long one.
 *
 * | one of | entry      | back after |
 * | ------ | ---------- | ---------- |
 * | 2      | the last   | 5.45 s     |
 * | 2      | the first  | 6 s        |
 * | 1,024  | the last   | 500 ms     |
 * | 1,024  | the first  | 1.05 s     |
 */
export const backAfterMs = (oneOfSo: number, index: number, count: number): number => {
  const step = (LAST_BACK_MS - FIRST_BACK_MS) / MOST_DOUBLINGS;
  const first = FIRST_BACK_MS + step * Math.max(0, MOST_DOUBLINGS - Math.log2(oneOfSo));
  return Math.round(first + step * (1 - index / Math.max(1, count - 1)));
};
