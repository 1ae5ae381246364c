import type { Context, MiddlewareHandler } from "hono";
import { instruments } from "../../observability/metrics.ts";
import { jitteredMs } from "../../runtime/backoff.ts";
import { createRecent } from "../../runtime/recent.ts";
import { createSlots, type SetAside, type Slots, type Turn } from "../../runtime/slots.ts";
import { isPrivate, siteOf } from "../client/client.ts";
import { toNobody } from "../errors.ts";
import { HashQueueFull } from "../passwords/hasher.ts";
import { ProblemError } from "../problem.ts";

export interface PaceDeps {
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

/** Refusals that a client gets in a second before it has to wait for them. */
const PER_SECOND = 200;
const LONGEST_HOLD_MS = 15_000;
/** Shorter holds are not worth a timer. */
const SHORTEST_HOLD_MS = 10;
const MAX_CLIENTS = 10_000;
/** Requests of one client that are under way at a time, those that wait for their turn included. */
export const MOST_UNDER_WAY = 1_024;
/** Of these are worked on at a time: about as many passwords as are hashed in a second. */
export const MOST_AT_WORK = 64;
const LONGEST_TURN_MS = 2_000;

declare module "hono" {
  interface ContextVariableMap {
    /** For what the client of a request lets us wait for: not set where requests do not take turns. */
    setAside?: SetAside;
  }
}

/** How long each client's refusals are held back: it gets 200 a second; what would be held for longer than 15 s, after 7.5 to 15 s. */
export const createPace = ({ now: clock, random }: Pick<PaceDeps, "now" | "random">): ((client: string) => number) => {
  /** When the next refusal of a client is due. */
  const dueAt = createRecent<number>(MAX_CLIENTS);
  return (client) => {
    const now = clock();
    const due = Math.max(now, dueAt.get(client) ?? 0);
    if (due - now > LONGEST_HOLD_MS) return jitteredMs(LONGEST_HOLD_MS, random);
    dueAt.set(client, due + 1_000 / PER_SECOND);
    return due - now < SHORTEST_HOLD_MS ? 0 : due - now;
  };
};

const isBusy = (error: unknown): boolean =>
  error instanceof HashQueueFull || (error instanceof ProblemError && error.code === "too_busy");

/**
 * Refused by a limit, the queue of passwords or the number of live pages. A store that is away is nobody's doing; a page does not say which
 * it was.
 */
const isRefused = ({ res: { status }, error }: Context): boolean =>
  status === 429 || (status === 503 && (error === undefined || isBusy(error)));

/** What one client, or all of an IPv6 site, may do to a process. */
export interface Pacing {
  /** Outermost: lets the requests of a client take turns, and holds back the refusals of one that gets many. */
  readonly hold: MiddlewareHandler;
  /**
   * Refuses those whose turn does not come, before they are read.
   *
   * @throws {ProblemError} `too_many_requests`
   */
  requireTurn(c: Context): void;
  /** Has a request refused with a problem by `requireTurn`, after what the client's refusals are held back; `hold` lets it pass. */
  refuseUnread(request: Request, client: string, problem: ProblemError): Promise<void>;
  /** A turn, if this client has one at once; undefined: it is for `hold`. */
  take(client: string): Turn | undefined;
}

const BEYOND = {
  "Retry-After": String(LONGEST_HOLD_MS / 1_000),
  "RateLimit-Policy": `"concurrent";q=${MOST_UNDER_WAY};qu="concurrent-requests"`,
  RateLimit: `"concurrent";r=0;t=${LONGEST_HOLD_MS / 1_000}`,
};

class NoTurn extends Error {
  override readonly name = "NoTurn";
}

/** In the next turn of the event loop: what is quickly done would else be done a thousand times before anything else. */
const later = (end: () => void): void => void setImmediate(end);
const atOnce = (end: () => void): void => end();

/** On a private network it may be a proxy that is not trusted, before which everybody is one client. */
const turnsOf = (client: string, onFull: () => NoTurn): Pick<ClientTurns, "turns" | "handOn"> => {
  const [size, handOn] = isPrivate(client) ? [MOST_UNDER_WAY, atOnce] : [MOST_AT_WORK, later];
  const maxWaiting = MOST_UNDER_WAY - size;
  return { turns: createSlots({ size, maxWaitMs: LONGEST_TURN_MS, maxWaiting, onFull, handOn }), handOn };
};

interface ClientTurns {
  readonly turns: Slots;
  /** When a turn is the next one's. */
  readonly handOn: (end: () => void) => void;
  underWay: number;
  /** Whose bodies are awaited without a turn. */
  aside: number;
  /** One of them has ended. */
  readonly hasLeft: () => void;
}

/** As many bodies of a client as may be under way are awaited without a turn; those beyond keep theirs. `refuse` throws. */
const setAsideWithin = async <Awaited>(
  own: ClientTurns,
  setAside: SetAside,
  refuse: () => never,
  awaited: Promise<Awaited>,
): Promise<Awaited> => {
  if (own.aside >= MOST_UNDER_WAY) return awaited;
  own.aside += 1;
  try {
    return await setAside(awaited);
  } catch (error) {
    if (error instanceof NoTurn) return refuse();
    throw error;
  } finally {
    own.aside -= 1;
  }
};

/** After its turn was handed on: else the next one would find all turns free. */
const leave = (own: ClientTurns): void => own.handOn(own.hasLeft);

/** A turn of `take`. `refuse` throws. */
class ClientTurn implements Turn {
  readonly #own: ClientTurns;
  readonly #turn: Turn;
  readonly #refuse: () => never;

  constructor(own: ClientTurns, turn: Turn, refuse: () => never) {
    this.#own = own;
    this.#turn = turn;
    this.#refuse = refuse;
  }

  setAside<Awaited>(awaited: Promise<Awaited>): Promise<Awaited> {
    return setAsideWithin(this.#own, (waiting) => this.#turn.setAside(waiting), this.#refuse, awaited);
  }

  end(): void {
    this.#turn.end();
    leave(this.#own);
  }
}

/**
 * A client that asks again at once, over thousands of connections, would keep the process busy with nothing but itself: reading and
 * refusing each costs more than a hash's wait, and all of that comes before anybody else's turn. So 64 of its requests are worked on
 * at a time, and the others wait unread, where they cost nothing; those whose turn does not come within 2 s, or that are beyond 1,024, are
 * refused, 200 in a second. A body that comes slowly is awaited without a turn, so that it holds up nobody behind the same address.
 */
export const createPacing = ({ clientOf, now, pause, random }: PaceDeps): Pacing => {
  const holdMs = createPace({ now, random });
  const clients = new Map<string, ClientTurns>();
  // One of each for all: what an error costs is its stack, which nobody reads of these.
  const noTurn = new NoTurn();
  const beyond = new ProblemError("too_many_requests", { headers: BEYOND });
  const refusedUnread = new WeakMap<Request, ProblemError>();

  const ownOf = (client: string): ClientTurns => {
    const known = clients.get(client);
    if (known !== undefined) return known;
    const hasLeft = (): void => {
      own.underWay -= 1;
      if (own.underWay === 0) clients.delete(client);
    };
    const own: ClientTurns = { ...turnsOf(client, () => noTurn), underWay: 0, aside: 0, hasLeft };
    clients.set(client, own);
    return own;
  };

  /** @throws {ProblemError} `too_many_requests` */
  const refuse = (problem: ProblemError): never => {
    instruments().admissionRefused.add(1, { "signup.limit": problem === beyond ? "concurrent" : "requests" });
    throw problem;
  };
  const refuseBeyond = () => refuse(beyond);

  const holdBack = async (request: Request, client: string): Promise<void> => {
    const ms = holdMs(client);
    // Not for somebody who has left.
    if (ms > 0) await pause(ms, request.signal);
  };

  return {
    hold: async (c, next) => {
      const request = c.req.raw;
      if (refusedUnread.has(request)) return await next();
      const client = siteOf(clientOf(request));
      const own = ownOf(client);
      own.underWay += 1;
      try {
        // Until the refusal is answered: the next one would be refused as well.
        await own.turns.run(async (setAside) => {
          c.set("setAside", (awaited) => setAsideWithin(own, setAside, refuseBeyond, awaited));
          await next();
          if (isRefused(c)) await holdBack(request, client);
        });
      } catch (error) {
        if (!(error instanceof NoTurn)) throw error;
        // What it costs to refuse it is spread, too.
        await holdBack(request, client);
        if (request.signal.aborted) return toNobody();
        refusedUnread.set(request, beyond);
        return await next();
      } finally {
        leave(own);
      }
    },
    requireTurn(c) {
      const problem = refusedUnread.get(c.req.raw);
      if (problem !== undefined) refuse(problem);
    },
    async refuseUnread(request, client, problem) {
      refusedUnread.set(request, problem);
      await holdBack(request, siteOf(client));
    },
    take(ofSite) {
      const client = siteOf(ofSite);
      const own = ownOf(client);
      // Of a client that is not known yet there is always one.
      const turn = own.turns.take();
      if (turn === undefined) return undefined;
      own.underWay += 1;
      return new ClientTurn(own, turn, refuseBeyond);
    },
  };
};
