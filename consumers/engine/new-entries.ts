import type { Entry } from "../../stream/entries.ts";
import type { Breaker } from "./breaker.ts";
import { backAfterMs, spread } from "./look-ahead.ts";
import type { Settler } from "./settler.ts";
import type { Skipper } from "./skipper.ts";

export interface NewEntriesDeps {
  /** Takes new entries of the log, at most `count`. */
  readonly take: (count: number) => Promise<Entry[]>;
  readonly skipper: Skipper;
  readonly breaker: Pick<Breaker, "attemptsOneOf">;
  readonly settler: Pick<Settler, "passOver">;
}

/** Entries of one read behind a row of refusals. */
const MOST_LOOKED_AT = 1_000;

/**
 * Reads new entries, at most `count`, beyond those that are not the group's, if there are many. Behind a row of refusals it takes more
 * than are attempted; what it passes over comes after what is new.
 */
export const createNewEntriesReader = ({ take, skipper, breaker, settler }: NewEntriesDeps) => {
  let isPassing = false;

  const takeSeen = async (count: number): Promise<Entry[]> => {
    const entries = await take(count);
    skipper.saw(entries);
    return entries;
  };

  return async (count: number, signal: AbortSignal): Promise<Entry[]> => {
    if (count <= 0 || (await skipper.skip())) return [];
    const oneOf = breaker.attemptsOneOf;
    // Never awaited: while a store is away this turn would wait for it, and the stop of the process for this turn.
    if (oneOf === 1 || isPassing) return takeSeen(count);
    const most = Math.min(Math.max(count, MOST_LOOKED_AT), count * oneOf);
    const found = await takeSeen(most);
    if (found.length <= count) return found;
    const { chosen, others } = spread(found, count);
    // Nothing is behind them: there is nothing else to try meanwhile.
    const farthest = found.length < most ? Number.POSITIVE_INFINITY : oneOf;
    const passed = others.map((entry, index) => ({ entry, delayMs: backAfterMs(farthest, index, others.length) }));
    // What could not be passed over stays pending, and is claimed like a dead consumer's.
    isPassing = true;
    void settler
      .passOver(passed, signal)
      .catch(() => {})
      .finally(() => {
        isPassing = false;
      });
    return [...chosen];
  };
};
