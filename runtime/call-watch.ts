import { faultSince } from "./loop.ts";
import { publishedFault } from "./published-fault.ts";

/** Calls that repeat until they succeed, such as those to a store: which of them fail or hang, and since when. */
export interface CallWatch {
  /** The same call, watched under a name. */
  watched<Args extends readonly unknown[], Result>(
    name: string,
    call: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result>;
  /** Faults by name: failures since the last success, or a call without an answer. In words that anybody may read; ends with `; since <ISO 8601>`. */
  faults(): Readonly<Record<string, string>>;
}

/** A failure is forgotten this long after it: whoever called does not call any more. */
const FORGET_AFTER_MS = 30_000;
/** A call without an answer for this long is a fault. */
const SILENT_AFTER_MS = 3_000;

interface Watched {
  failure: { readonly words: string; readonly since: Date; readonly at: number } | undefined;
  /** The calls that run, in the order in which they began. */
  readonly running: Set<{ readonly since: Date }>;
}

export const createCallWatch = ({ wallClock }: { readonly wallClock: () => Date }): CallWatch => {
  const calls = new Map<string, Watched>();

  const faultOf = ({ failure, running }: Watched): string | undefined => {
    if (failure !== undefined && wallClock().getTime() - failure.at < FORGET_AFTER_MS) {
      return faultSince(failure.words, failure.since);
    }
    const [oldest] = running;
    if (oldest === undefined || wallClock().getTime() - oldest.since.getTime() < SILENT_AFTER_MS) return undefined;
    return faultSince("no answer", oldest.since);
  };

  return {
    watched: (name, call) => {
      const state: Watched = { failure: undefined, running: new Set() };
      calls.set(name, state);
      return async (...args) => {
        const running = { since: wallClock() };
        state.running.add(running);
        try {
          const result = await call(...args);
          state.failure = undefined;
          return result;
        } catch (error) {
          state.failure = {
            words: publishedFault(error),
            since: state.failure?.since ?? running.since,
            at: wallClock().getTime(),
          };
          throw error;
        } finally {
          state.running.delete(running);
        }
      };
    },
    faults: () =>
      Object.fromEntries(
        [...calls].flatMap(([name, state]) => {
          const fault = faultOf(state);
          return fault === undefined ? [] : [[name, fault]];
        }),
      ),
  };
};
