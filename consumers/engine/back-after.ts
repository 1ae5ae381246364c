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
