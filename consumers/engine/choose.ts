import type { ReadableEntry } from "./attempt.ts";
import type { CountDeaths } from "./count-deaths.ts";
import type { Candidate, Doubt } from "./doubt.ts";
import { passesOf, wasTried } from "./failure-fields.ts";
import type { InFlight } from "./in-flight.ts";
import type { LookAhead } from "./look-ahead.ts";
import type { LookUp } from "./look-up.ts";
import type { Patience, Settler } from "./settler.ts";
import { SUSPECT_AFTER } from "./suspects.ts";

/** An entry, and what its work needs. */
export interface PreparedEntry<Data, Input> extends ReadableEntry<Data> {
  readonly prepared: LookUp<Input> | undefined;
}

export interface ChooseDeps<Data, Input> {
  readonly doubt: Pick<Doubt, "has" | "isSlow">;
  readonly lookAhead: LookAhead<PreparedEntry<Data, Input>>;
  readonly settler: Pick<Settler, "passOver">;
  readonly inFlight: InFlight;
  readonly deaths: CountDeaths;
}

interface Chosen<Data, Input> {
  readonly wanted: readonly PreparedEntry<Data, Input>[];
  readonly passed: readonly PreparedEntry<Data, Input>[];
  /** Resolves when what is passed over is; rejects when asked to stop before: then it stays pending, and is released. */
  readonly over: Promise<void>;
}

/**
 * Chooses what is attempted now of what was read, and of what is kept, at most `most`, beside what dead consumers had that is not in doubt; keeps the
 * rest, or passes over it.
 */
export const createChoose =
  <Data, Input>({ doubt, lookAhead, settler, inFlight, deaths }: ChooseDeps<Data, Input>) =>
  (
    items: readonly PreparedEntry<Data, Input>[],
    { most, ...patience }: Patience & { readonly most: number },
  ): Chosen<Data, Input> => {
    const all = items.map((item) => {
      const { entry, event, prepared } = item;
      const party = prepared?.kind === "ready" ? prepared.party : undefined;
      return { item, party, wasTried: wasTried(entry.raw), place: event.id, passes: passesOf(entry.raw) };
    });
    // A suspect's turn is now. What dead consumers only kept is as much in doubt here as it was there.
    const isNow = (each: Candidate & { readonly item: PreparedEntry<Data, Input> }) =>
      each.item.entry.isTakenOver &&
      (each.item.entry.deliveries > SUSPECT_AFTER || !(doubt.isSlow(each) || doubt.has(each)));
    const now = all.filter(isNow).map(({ item }) => item);
    const read = all.filter((each) => !isNow(each));
    const { attempted, kept, passed } = lookAhead.choose(read, most);
    // Told before they are claimed, which takes longer.
    deaths.begin(attempted.flatMap(({ entry }) => (inFlight.isKept(entry) ? [entry] : [])));
    for (const { entry } of attempted) inFlight.take(entry);
    deaths.kept(kept.map(({ entry }) => entry));
    for (const { entry } of kept) inFlight.keep(entry);
    const over =
      passed.length === 0
        ? Promise.resolve()
        : settler.passOver(
            passed.map(({ item, delayMs }) => ({ entry: item.entry, delayMs })),
            patience,
          );
    return { wanted: [...now, ...attempted], passed: passed.map(({ item }) => item), over };
  };
