import { pause } from "../../runtime/loop.ts";
import { createActivity } from "./activity.ts";
import type { Load } from "./load.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import type { Random } from "./random.ts";

/** What those need who do more than sign up. */
export interface UsersOptions {
  readonly urls: readonly string[];
  readonly databaseUrl: string;
  readonly mailServer: ChaoticMailServer;
  readonly load: Load;
  readonly random: Random;
}

/** Users who look now and then what has happened, and act on it some seconds later. */
export interface Users {
  /** Aborted at the stop. */
  readonly signal: AbortSignal;
  start(look: () => void): void;
  /** Does something that never rejects after up to 4 s. */
  later(action: () => Promise<void>): void;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 200;
const MAX_THINKING_MS = 4_000;

/** Calls back for each new item of a list that grows. */
export const follow = <Item>(list: readonly Item[], each: (item: Item) => void): (() => void) => {
  let seen = list.length;
  return () => {
    for (; seen < list.length; seen += 1) {
      const item = list[seen];
      if (item !== undefined) each(item);
    }
  };
};

export const createUsers = (random: Random): Users => {
  const { signal, start, begin, stop } = createActivity();
  return {
    signal,
    start: (look) => start(LOOK_EVERY_MS, look),
    later: (action) => begin(pause(random.between(0, MAX_THINKING_MS), signal).then(action)),
    stop,
  };
};
