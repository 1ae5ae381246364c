import { wholeOrEach } from "../../database/whole-or-each.ts";
import type { GroupDefinition, Piece, Prepared } from "./handler.ts";
import { isRefused } from "./ledger.ts";

/** What a group's look-up found, by event id; `refused` are those of which Postgres refuses a value. */
export interface LookedUp<Input> {
  readonly found: ReadonlyMap<string, Prepared<Input>>;
  readonly refused: ReadonlySet<string>;
}

/**
 * Asks a group's look-up for a batch: one statement, or one for each piece where Postgres refuses a value of one.
 *
 * @throws what is no piece's fault: the store is away
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
