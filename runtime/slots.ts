/**
 * Gives the turn of a piece of work up until what it waits for is there, then takes a turn again: behind those that wait. Rejects with
 * `onFull` if that does not come in time; a piece that is rejected goes on without a turn.
 */
export type SetAside = <Awaited>(awaited: Promise<Awaited>) => Promise<Awaited>;

/** A piece of work that has its turn. */
export interface Turn {
  setAside<Awaited>(awaited: Promise<Awaited>): Promise<Awaited>;
  /** When the piece has ended. */
  end(): void;
}

/** Runs at most a number of pieces of work at the same time; the others wait their turn, in order. */
export interface Slots {
  /** Runs the work when there is room. Rejects with `onFull` if its turn does not come in time: then it has not begun. */
  run<Result>(work: (setAside: SetAside) => Promise<Result>): Promise<Result>;
  /** A turn, when there is room. Rejects with `onFull` if it does not come in time. */
  begin(): Promise<Turn>;
  /** A turn, if there is room now: then nobody waits for one. */
  take(): Turn | undefined;
  /** Rejects all that wait for a turn. */
  refuseWaiting(error: unknown): void;
}

export interface SlotsOptions {
  readonly size: number;
  /** Longest wait for a turn in ms; Infinity: no limit. */
  readonly maxWaitMs: number;
  /** Maximum pieces that wait; unlimited if not given. */
  readonly maxWaiting?: number;
  /** The error of a piece whose turn did not come. */
  readonly onFull: () => Error;
  /** When a turn that has ended is somebody else's: at once if not given. */
  readonly handOn?: (end: () => void) => void;
}

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (error: unknown) => void;
}

/** What turns are turns of. */
interface Room {
  /** A turn has ended. */
  leave(): void;
  /** Resolves when there is another one. */
  turn(): Promise<void>;
}

/** A class: functions that are made for each turn cost more than all else of it. */
class OwnTurn implements Turn {
  readonly #room: Room;
  #hasTurn = true;

  constructor(room: Room) {
    this.#room = room;
  }

  async setAside<Awaited>(awaited: Promise<Awaited>): Promise<Awaited> {
    this.#hasTurn = false;
    this.#room.leave();
    const there = await awaited;
    await this.#room.turn();
    this.#hasTurn = true;
    return there;
  }

  end(): void {
    if (this.#hasTurn) this.#room.leave();
  }
}

const atOnce = (end: () => void): void => end();

export const createSlots = (options: SlotsOptions): Slots => {
  const { size, maxWaitMs, maxWaiting = Infinity, onFull, handOn = atOnce } = options;
  const waiting = new Set<Waiting>();
  let free = size;

  const turn = (): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    if (waiting.size >= maxWaiting) return Promise.reject(onFull());
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(maxWaitMs)
        ? setTimeout(() => {
            waiting.delete(own);
            reject(onFull());
          }, maxWaitMs)
        : undefined;
      const own = {
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
        refuse: (error: unknown) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      waiting.add(own);
    });
  };

  const end = (): void => {
    const next = waiting.size === 0 ? undefined : waiting.values().next().value;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next.begin();
  };

  const room: Room = { leave: () => handOn(end), turn };

  return {
    async begin() {
      await turn();
      return new OwnTurn(room);
    },
    async run(work) {
      await turn();
      const own = new OwnTurn(room);
      try {
        return await work((awaited) => own.setAside(awaited));
      } finally {
        own.end();
      }
    },
    take() {
      if (free === 0) return undefined;
      free -= 1;
      return new OwnTurn(room);
    },
    refuseWaiting(error) {
      const refused = [...waiting];
      waiting.clear();
      for (const each of refused) each.refuse(error);
    },
  };
};
