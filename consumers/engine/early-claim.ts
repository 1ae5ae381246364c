import type { WantedDelivery } from "../../database/ledger/claim.ts";
import type { Entry } from "../../stream/entries.ts";

/** What is known when pieces have been read. */
interface Early {
  readonly entries: readonly Pick<Entry, "deliveries" | "isTakenOver">[];
  /** Each of the last pieces was ready. */
  readonly wereReady: boolean;
  /** Some kind of work is in doubt: the look-up says which of the pieces are attempted at all. */
  readonly isInDoubt: boolean;
  /** The other system takes work. */
  readonly isClosed: boolean;
}

/** More pieces at once are a backlog: others are in flight meanwhile, so nothing waits for the second of two statements. */
const MOST_EARLY = 4;

/**
 * Whether pieces are claimed while they are looked up, instead of after it. Pure. A claim that the look-up shows to be needless is one
 * statement more, and a step more in the delivery's timeline: so only while nearly all pieces are ready.
 */
export const isClaimedEarly = ({ entries, wereReady, isInDoubt, isClosed }: Early): boolean =>
  wereReady &&
  isClosed &&
  !isInDoubt &&
  entries.length <= MOST_EARLY &&
  entries.every(({ deliveries, isTakenOver }) => deliveries === 1 && !isTakenOver);

export interface EarlyClaims<Lease> {
  /** Claims each of these events as if its piece were ready. Never rejects: what is missing in the answer is claimed again. */
  claim(eventIds: readonly string[], token: string): Promise<ReadonlyMap<string, Lease>>;
  /** Those that are still of use: the piece is ready, and its lease is nearly whole. */
  usable(early: ReadonlyMap<string, Lease>, wanted: readonly WantedDelivery[]): Map<string, Lease>;
  readonly wereReady: boolean;
}

/** A lease of which less is left, because the look-up took so long, begins anew under the same token. */
const LEAST_LEFT = 0.75;

/** At low load a piece waits for one statement of two that are sent at once, instead of for one after the other. */
export const createEarlyClaims = <Lease extends { readonly leaseUntil: number }>(deps: {
  readonly claim: (wanted: readonly WantedDelivery[], token: string) => Promise<ReadonlyMap<string, Lease>>;
  readonly leaseMs: number;
  /** Monotonic, ms. */
  readonly now: () => number;
}): EarlyClaims<Lease> => {
  let wereReady = false;
  return {
    get wereReady() {
      return wereReady;
    },
    async claim(eventIds, token) {
      if (eventIds.length === 0) return new Map();
      const wanted = eventIds.map((event_id) => ({ event_id, lookup: "ready", reason: null }) as const);
      // The claim that follows repeats one that failed, and reports what is wrong.
      return deps.claim(wanted, token).catch(() => new Map());
    },
    usable(early, wanted) {
      const ready = wanted.filter(({ lookup }) => lookup === "ready");
      wereReady = ready.length === wanted.length;
      const enoughLeft = deps.now() + deps.leaseMs * LEAST_LEFT;
      return new Map(
        ready.flatMap(({ event_id }) => {
          const lease = early.get(event_id);
          return lease === undefined || lease.leaseUntil < enoughLeft ? [] : [[event_id, lease]];
        }),
      );
    },
  };
};
