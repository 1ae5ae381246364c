import type { ReadableEntry } from "./attempt.ts";
import type { Doubt } from "./doubt.ts";
import { passesOf, wasTried } from "./failure-fields.ts";
import type { LookAhead } from "./look-ahead.ts";
import type { LookUp } from "./look-up.ts";
import type { Settler } from "./settler.ts";

interface ChooseDeps {
  readonly doubt: Doubt;
  readonly lookAhead: Pick<LookAhead, "choose">;
  readonly settler: Pick<Settler, "passOver">;
}

interface ChosenEntries<Data> {
  readonly wanted: readonly ReadableEntry<Data>[];
  readonly passed: readonly ReadableEntry<Data>[];
  /** Resolves when what is passed over is; rejects when asked to stop before: then it stays pending, and is released. */
  readonly over: Promise<void>;
}

/** Chooses what is attempted now of what was read, at most `most`, beside what dead consumers had; passes over the rest. */
export const createChoose =
  <Data, Input>({ doubt, lookAhead, settler }: ChooseDeps) =>
  (
    items: readonly ReadableEntry<Data>[],
    found: ReadonlyMap<string, LookUp<Input>>,
    { most, signal }: { readonly most: number; readonly signal: AbortSignal },
  ): ChosenEntries<Data> => {
    if (!doubt.isActive) return { wanted: items, passed: [], over: Promise.resolve() };
    const read = items.map((item) => {
      const { raw } = item.entry;
      const prepared = found.get(item.event.id);
      const candidate = { party: prepared?.kind === "ready" ? prepared.party : undefined, wasTried: wasTried(raw) };
      return { item, isDoubtful: doubt.has(candidate), wasTried: candidate.wasTried, passes: passesOf(raw) };
    });
    const takenOver = items.filter(({ entry }) => entry.isTakenOver);
    const own = read.filter(({ item }) => !item.entry.isTakenOver);
    const { attempted, passed } = lookAhead.choose(own, most);
    const over =
      passed.length === 0
        ? Promise.resolve()
        : settler.passOver(
            passed.map(({ item, delayMs }) => ({ entry: item.entry, delayMs })),
            signal,
          );
    return { wanted: [...takenOver, ...attempted], passed: passed.map(({ item }) => item), over };
  };
