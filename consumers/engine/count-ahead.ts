import type { PreparedEntry } from "./choose.ts";
import { wasTried } from "./failure-fields.ts";
import type { Quotas, UsedUp } from "./quotas.ts";

export interface CountAheadDeps {
  readonly quotas: Quotas;
  readonly breaker: { readonly state: string };
  readonly parties: { waiting(): number };
}

/** The answers of quotas that were asked before the claim, by event id. */
export type CountedAhead = ReadonlyMap<string, Promise<UsedUp | undefined>>;

const NONE: CountedAhead = new Map();

/**
 * Asks the quotas of pieces that are about to be claimed, so that their answer comes while the ledger's does. Only of those that nothing
 * but the claim can keep from their first attempt: others are asked when they begin. One that a peer has claimed is counted by that peer
 * under the same name, so it counts once; one that was closed long ago may use one up in vain.
 */
export const createCountAhead =
  ({ quotas, breaker, parties }: CountAheadDeps) =>
  (items: readonly PreparedEntry<unknown, unknown>[]): CountedAhead => {
    if (breaker.state !== "closed" || parties.waiting() > 0) return NONE;
    return new Map(
      items.flatMap(({ entry, event, prepared }) => {
        if (prepared?.kind !== "ready" || prepared.quotas === undefined || prepared.quotas.length === 0) return [];
        if (entry.deliveries > 1 || wasTried(entry.raw)) return [];
        return [[event.id, quotas.take({ eventId: event.id, quotas: prepared.quotas, isForced: false })] as const];
      }),
    );
  };
