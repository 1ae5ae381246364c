import type { Context, MiddlewareHandler } from "hono";
import { instruments } from "../../observability/metrics.ts";
import { jitteredMs } from "../../runtime/backoff.ts";
import { HashQueueFull } from "../passwords/hasher.ts";
import { ProblemError } from "../problem.ts";

export interface PaceDeps {
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly random: () => number;
}

/** Refusals that a client gets in a second before it has to wait for them. */
const PER_SECOND = 200;
const LONGEST_HOLD_MS = 15_000;
/** Shorter holds are not worth a timer. */
const SHORTEST_HOLD_MS = 10;
const MAX_CLIENTS = 10_000;
/** Requests of one client that are under way at a time, those that are held back included. */
export const MOST_UNDER_WAY = 1_024;

/** How long each client's refusals are held back: it gets 200 a second; what would be held for longer than 15 s, after 7.5 to 15 s. */
export const createPace = ({ now: clock, random }: Pick<PaceDeps, "now" | "random">): ((client: string) => number) => {
  /** When the next refusal of a client is due. */
  const dueAt = new Map<string, number>();
  return (client) => {
    const now = clock();
    const due = Math.max(now, dueAt.get(client) ?? 0);
    if (due - now > LONGEST_HOLD_MS) return jitteredMs(LONGEST_HOLD_MS, random);
    dueAt.delete(client);
    dueAt.set(client, due + 1_000 / PER_SECOND);
    for (const [oldest, at] of dueAt) {
      if (at > now && dueAt.size <= MAX_CLIENTS) break;
      dueAt.delete(oldest);
    }
    return due - now < SHORTEST_HOLD_MS ? 0 : due - now;
  };
};

/** Refused by a limit or by the queue of passwords. A store that is away is nobody's doing; a page does not say which it was. */
const isRefused = ({ res: { status }, error }: Context): boolean =>
  status === 429 || (status === 503 && (error === undefined || error instanceof HashQueueFull));

/** What one client may do to a process with refusals. */
export interface Pacing {
  /** Outermost: holds back the refusals of a client that gets many. A held answer costs a timer. */
  readonly hold: MiddlewareHandler;
  /** Refuses what is beyond 1,024 requests of a client under way, before it is read. */
  readonly cap: MiddlewareHandler;
}

const BEYOND = {
  "Retry-After": String(LONGEST_HOLD_MS / 1_000),
  "RateLimit-Policy": `"concurrent";q=${MOST_UNDER_WAY};qu="concurrent-requests"`,
  RateLimit: `"concurrent";r=0;t=${LONGEST_HOLD_MS / 1_000}`,
};

/**
 * A client that asks again at once, over thousands of connections, would keep the process busy with nothing but refusals: reading
 * each costs more than refusing it, and all of that comes before anybody else's turn.
 */
export const createPacing = ({ clientOf, now, pause, random }: PaceDeps): Pacing => {
  const holdMs = createPace({ now, random });
  const underWay = new Map<string, number>();

  return {
    hold: async (c, next) => {
      const client = clientOf(c.req.raw);
      underWay.set(client, (underWay.get(client) ?? 0) + 1);
      try {
        await next();
        const ms = isRefused(c) ? holdMs(client) : 0;
        if (ms > 0) await pause(ms);
      } finally {
        const left = (underWay.get(client) ?? 1) - 1;
        if (left === 0) underWay.delete(client);
        else underWay.set(client, left);
      }
    },
    cap: async (c, next) => {
      if ((underWay.get(clientOf(c.req.raw)) ?? 0) <= MOST_UNDER_WAY) return next();
      instruments().admissionRefused.add(1, { "signup.limit": "concurrent" });
      throw new ProblemError("too_many_requests", { headers: BEYOND });
    },
  };
};
