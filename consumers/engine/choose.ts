import type { ReadableEntry } from "./attempt.ts";
import { passesOf, wasTried } from "./failure-fields.ts";
import type { InFlight } from "./in-flight.ts";
import type { LookAhead } from "./look-ahead.ts";
import type { LookUp } from "./look-up.ts";
import type { Patience, Settler } from "./settler.ts";

/** An entry, and what its work needs. */
export interface PreparedEntry<Data, Input> extends ReadableEntry<Data> {
  readonly prepared: LookUp<Input> | undefined;
}

export interface ChooseDeps<Data, Input> {
  readonly lookAhead: LookAhead<PreparedEntry<Data, Input>>;
  readonly settler: Settler;
  readonly inFlight: InFlight;
}

interface Chosen<Data, Input> {
  readonly wanted: readonly PreparedEntry<Data, Input>[];
  readonly passed: readonly PreparedEntry<Data, Input>[];
  /** Resolves when what is passed over is; rejects when asked to stop before: then it stays pending, and is released. */
  readonly over: Promise<void>;
}

/**
 * Chooses what is attempted now of what was read, and of what is kept, at most `most`, beside what dead consumers had; keeps the rest, or
 * passes over it.
 */
export const createChoose =
  <Data, Input>({ lookAhead, settler, inFlight }: ChooseDeps<Data, Input>) =>
  (
    items: readonly PreparedEntry<Data, Input>[],
    { most, ...patience }: Patience & { readonly most: number },
  ): Chosen<Data, Input> => {
    const takenOver = items.filter(({ entry }) => entry.isTakenOver);
    const own = items.filter(({ entry }) => !entry.isTakenOver);
    const read = own.map((item) => {
      const { entry, prepared } = item;
      const party = prepared?.kind === "ready" ? prepared.party : undefined;
      return { item, party, wasTried: wasTried(entry.raw), passes: passesOf(entry.raw) };
    });
    const { attempted, kept, passed } = lookAhead.choose(read, most);
    for (const { entry } of attempted) inFlight.take(entry);
    for (const { entry } of kept) inFlight.keep(entry);
    const over =
      passed.length === 0
        ? Promise.resolve()
        : settler.passOver(
            passed.map(({ item, delayMs }) => ({ entry: item.entry, delayMs })),
            patience,
          );
    return { wanted: [...takenOver, ...attempted], passed: passed.map(({ item }) => item), over };
  };
