import { wholeOrEach } from "../../database/whole-or-each.ts";
import type { Logger } from "../../observability/logger.ts";
import type { GroupDefinition, Piece, Prepared } from "./handler.ts";
import { isRefused } from "./ledger.ts";
import { isSystemsFault } from "./thrown.ts";

/** The look-up's result for one event; `failed`: the group's code threw an error for this piece alone. */
export type LookUp<Input> = Prepared<Input> | { readonly kind: "failed" };

/** The results of a group's look-up, by event id; `refused`: those of which Postgres refuses a value. */
export interface LookedUp<Input> {
  readonly found: ReadonlyMap<string, LookUp<Input>>;
  readonly refused: ReadonlySet<string>;
}

/**
 * Runs a group's look-up for a batch: one statement, or one for each piece if one of them may be at fault.
 *
 * @throws when the store is unavailable
 */
export const lookUp = async <Data, Input>(
  definition: Pick<GroupDefinition<Data, Input>, "prepare">,
  pieces: readonly Piece<Data>[],
  log: Pick<Logger, "error">,
): Promise<LookedUp<Input>> => {
  const refused = new Set<string>();
  const results = await wholeOrEach<Piece<Data>, readonly (readonly [string, LookUp<Input>])[]>(pieces, {
    run: async (batch) => {
      const answer = await definition.prepare(batch);
      return batch.map(({ eventId }) => {
        const prepared = answer.get(eventId);
        return prepared === undefined ? [] : [[eventId, prepared] as const];
      });
    },
    mayBeOneRows: (error) => !isSystemsFault(error),
    failedAlone: ({ eventId }, error) => {
      if (isSystemsFault(error)) throw error;
      if (isRefused(error)) {
        refused.add(eventId);
        return [];
      }
      log.error({ event_id: eventId, error }, "the look-up threw; the event will be retried");
      return [[eventId, { kind: "failed" }]];
    },
  });
  return { found: new Map(results.flat()), refused };
};
