import type { Logger } from "../../observability/logger.ts";
import { GaveUp, persist } from "../../runtime/persist.ts";
import type { Patience } from "./settler.ts";

/** Repeats an action until it succeeds; undefined when asked to stop before that, or when `mayRepeat` says no. */
export type UnlessStopped = <Result>(
  what: string,
  action: () => Promise<Result>,
  mayRepeat?: () => boolean,
) => Promise<Result | undefined>;

export const unlessStoppedBy =
  ({ signal, progress }: Patience, log: Logger): UnlessStopped =>
  async (what, action, mayRepeat) => {
    const onFailure = (error: unknown) => {
      progress(error);
      if (mayRepeat?.() === false) throw new GaveUp(`${what} was given up`);
    };
    try {
      return await persist(action, { what, log, signal, onFailure });
    } catch (error) {
      if (error instanceof GaveUp) return undefined;
      throw error;
    }
  };
