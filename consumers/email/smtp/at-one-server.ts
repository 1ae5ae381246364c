import type { ConnectionLimit } from "./capacity.ts";
import type { Sessions } from "./sessions.ts";

/** A pool of connections, as others of its process see it that send to the same server. */
export interface Neighbour {
  /** How many connections it has, and how many of them are idle. */
  readonly has: () => number;
  readonly idle: () => number;
  /** Whether it has had its only one for long enough. */
  readonly mayBeLeftWithout: () => boolean;
  /** Closes a connection, an idle one or the next that becomes free, and asks for no other one for a while. */
  readonly giveUp: () => void;
}

/** A pool's place among the others. */
export interface Place {
  /** The server has refused it a connection as one too many: another one gives one up, if that is fair. */
  refused(): void;
  leave(): void;
}

/** The pools of one process that send to one server, one for each group. */
export interface AtOneServer {
  join(pool: Neighbour): Place;
}

/** A pool has its only connection for so long at least before another group has it. */
const OWN_TURN_MS = 2_000;

export const asNeighbour = (
  sessions: Pick<Sessions, "usable" | "idle" | "heldForMs" | "giveUp">,
  limit: Pick<ConnectionLimit, "gaveUp">,
): Neighbour => ({
  has: sessions.usable,
  idle: sessions.idle,
  mayBeLeftWithout: () => sessions.heldForMs() >= OWN_TURN_MS,
  giveUp: () => {
    const before = sessions.usable();
    sessions.giveUp();
    limit.gaveUp(before - 1);
  },
});

/** The server counts a connection for a while after it was closed, and the one that was refused asks again meanwhile. */
const EVERY_MS = 300;

/**
 * A server that grants few connections has given them to whoever came first, and no other group would send a mail as long as that one has any to send. So the one
 * with the most connections gives one up, until all have as many; an idle one goes first; and where there is one connection in all, they take turns.
 */
export const createAtOneServer = (now: () => number): AtOneServer => {
  const pools = new Set<Neighbour>();
  let nextAt = Number.NEGATIVE_INFINITY;

  const mayGiveUp = (other: Neighbour, asking: Neighbour): boolean =>
    other.has() >= asking.has() + 2 ||
    (other.has() >= 2 && other.idle() > 0) ||
    (asking.has() === 0 && other.has() > 0 && (other.idle() > 0 || other.mayBeLeftWithout()));

  const refused = (asking: Neighbour): void => {
    if (now() < nextAt) return;
    const others = [...pools].filter((other) => other !== asking && mayGiveUp(other, asking));
    const [richest] = others.sort((a, b) => b.idle() - a.idle() || b.has() - a.has());
    if (richest === undefined) return;
    nextAt = now() + EVERY_MS;
    richest.giveUp();
  };

  return {
    join(pool) {
      pools.add(pool);
      return { refused: () => refused(pool), leave: () => void pools.delete(pool) };
    },
  };
};
