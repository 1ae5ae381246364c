import { wholeOrEach } from "../../database/whole-or-each.ts";
import type { GroupDefinition, Piece, Prepared } from "./handler.ts";
import { isRefused } from "./ledger.ts";

/** The results of a group's look-up, by event id; `refused`: those of which Postgres refuses a value. */
export interface LookedUp<Input> {
  readonly found: ReadonlyMap<string, Prepared<Input>>;
  readonly refused: ReadonlySet<string>;
}

/**
 * Runs a group's look-up for a batch: one statement, or one for each piece if Postgres refuses a value.
 *
 * @throws when the store is unavailable
 */
export const lookUp = async <Data, Input>(
  definition: Pick<GroupDefinition<Data, Input>, "prepare">,
  pieces: readonly Piece<Data>[],
): Promise<LookedUp<Input>> => {
  const refused = new Set<string>();
  const results = await wholeOrEach<Piece<Data>, readonly (readonly [string, Prepared<Input>])[]>(pieces, {
    run: async (batch) => {
      const answer = await definition.prepare(batch);
      return batch.map(({ eventId }) => {
        const prepared = answer.get(eventId);
        return prepared === undefined ? [] : [[eventId, prepared] as const];
      });
    },
    mayBeOneRows: isRefused,
    failedAlone: ({ eventId }, error) => {
      if (!isRefused(error)) throw error;
      refused.add(eventId);
      return [];
    },
  });
  return { found: new Map(results.flat()), refused };
};
