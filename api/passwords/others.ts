/** Who asked of late. */
export interface Others {
  /** A client asks. */
  asked(client: string): void;
  /** Whether a client other than this one asked of late. */
  haveAsked(client: string): boolean;
}

interface Asked {
  readonly client: string;
  readonly at: number;
}

/** Remembers the last two clients, which is enough: at least one of them is another one. `forMs`: how long that is of late. */
export const createOthers = (now: () => number, forMs: number): Others => {
  let last: Asked | undefined;
  let before: Asked | undefined;
  return {
    asked(client) {
      if (last !== undefined && last.client !== client) before = last;
      last = { client, at: now() };
    },
    haveAsked(client) {
      const other = last?.client === client ? before : last;
      return other !== undefined && now() - other.at < forMs;
    },
  };
};
