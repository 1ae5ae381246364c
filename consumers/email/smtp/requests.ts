/**
 * From the second time on that others gave a connection up for a pool in vain, in a row, it waits until it asks for the next one, twice as long each time:
 * what they leave it may be unable to open.
 */
const WITHOUT_ANY = { firstMs: 8_000, longestMs: 60_000 };
/** A consumer of its own group may have had it. */
const BESIDE_SOME = { firstMs: 500, longestMs: 8_000 };
/**
 * Where nothing is said of a limit, and it had none of so many, it cannot reach the server, as far as is known, until it would ask for the next one: so its breaker
 * opens, and somebody is called.
 */
const MOST_IN_VAIN = 3;

/** What a pool asks others to give up for it. */
export interface Requests {
  /** Others have given one up, while it had so many. */
  answered(had: number): void;
  /** It has so many that work. */
  has(count: number): void;
  /** Whether it may ask for the next one. */
  mayAsk(): boolean;
  /** It had none of what was given up for it, too often to be chance. */
  isInVain(): boolean;
  /** So it cannot reach the server, as far as is known. */
  cannotReach(): boolean;
}

export const createRequests = ({ now }: { readonly now: () => number }): Requests => {
  /** What others have given up for it since it had more than then: while it had some, or while it had none. */
  let inVain = { count: 0, at: Number.NEGATIVE_INFINITY, had: 0 };

  const mayAsk = (): boolean => {
    const { firstMs, longestMs } = inVain.had === 0 ? WITHOUT_ANY : BESIDE_SOME;
    return inVain.count < 2 || now() - inVain.at >= Math.min(longestMs, firstMs * 2 ** (inVain.count - 2));
  };
  const isInVain = (): boolean => inVain.had === 0 && inVain.count >= MOST_IN_VAIN;

  return {
    answered: (had) => {
      const isSameWant = (had === 0) === (inVain.had === 0);
      inVain = { count: isSameWant ? inVain.count + 1 : 1, at: now(), had };
    },
    has: (count) => {
      if (count > inVain.had) inVain = { ...inVain, count: 0 };
    },
    mayAsk,
    isInVain,
    cannotReach: () => isInVain() && !mayAsk(),
  };
};
