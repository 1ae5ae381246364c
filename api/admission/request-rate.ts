import { createLoopShare } from "../../runtime/loop-share.ts";
import { createRecent } from "../../runtime/recent.ts";
import { isPrivate, siteOf } from "../client/client.ts";
import { toNobody } from "../errors.ts";
import type { ServiceTokenHolders } from "../operations/service-token.ts";
import { ProblemError } from "../problem.ts";
import type { Pacing } from "./pace.ts";

type Answer = (request: Request) => Response | Promise<Response>;

export interface RequestRateDeps {
  /** Answers every request. */
  readonly app: Answer;
  /** Whom a request is from, as a key. */
  readonly clientOf: (request: Request) => string;
  /** Of requests that are not for a signup, nor for another mail. */
  readonly holders: ServiceTokenHolders;
  readonly pacing: Pick<Pacing, "refuseUnread">;
  /** Paths whose POST has limits of its own, which an operator sets: there only what fails is counted. */
  readonly admitted: ReadonlySet<string>;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

export interface RequestRate {
  readonly fetch: Answer;
  /** Whether a client has used up what it has. */
  isSpent(client: string): boolean;
}

/** What a client may ask for at once, and in a second from then on: an office behind one address opens a hundred pages of ten files each. */
const AT_ONCE = 1_000;
const PER_SECOND = 250;
/** A site (IPv6: a /48) has as many clients as it likes, and so much for all of them. */
const CLIENTS_OF_SITE = 2;
const MOST_CLIENTS = 20_000;
/**
 * Of these as many are begun in one turn of the event loop: a burst of a thousand would be half a second of nothing else, and each step of
 * somebody's signup is a turn.
 */
const PER_TURN = 16;
const INTERVAL_MS = 1_000 / PER_SECOND;
const BURST_MS = AT_ONCE * INTERVAL_MS;

/** They have a bucket of their own: what a client asks for otherwise must not make it believe that we are dead. */
const HEALTH = new Set(["/livez", "/readyz"]);

const TOO_MANY = new ProblemError("too_many_requests", {
  headers: {
    "Retry-After": "1",
    "RateLimit-Policy": `"requests";q=${AT_ONCE};w=${BURST_MS / 1_000}`,
    RateLimit: `"requests";r=0;t=1`,
  },
});

const pathOf = (url: string): string => {
  const from = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("//") + 2);
  const to = url.indexOf("?", from);
  return url.slice(from, to < 0 ? undefined : to);
};

/**
 * Whatever else a client asks for, pages, answers that do not exist, faulty signups, costs the process as much as a signup without its
 * hash. So each client has 1,000 such requests, and 250 a second from then on; what is beyond is refused unread, and late. In this
 * process alone: what is limited is its time. Clients on private networks are not counted, as by every default: one may be everybody's
 * proxy. Nor is who has the service token, by Bearer; by Basic it is admitted when its share is used up.
 */
export const createRequestRate = (deps: RequestRateDeps): RequestRate => {
  const { app, clientOf, holders, pacing, admitted, now } = deps;
  /** When each bucket is whole again. */
  const wholeAt = createRecent<number>(MOST_CLIENTS);

  const hasOne = (key: string, at: number, share: number): boolean =>
    (wholeAt.get(key) ?? 0) + INTERVAL_MS / share <= at + BURST_MS;
  /** What is beyond a bucket adds no debt. */
  const take = (key: string, at: number, share: number): void => {
    if (hasOne(key, at, share)) wholeAt.set(key, Math.max(at, wholeAt.get(key) ?? 0) + INTERVAL_MS / share);
  };
  const isSpent = (client: string, kind = ""): boolean => {
    const at = now();
    if (!hasOne(kind + client, at, 1)) return true;
    const site = siteOf(client);
    return site !== client && !hasOne(kind + site, at, CLIENTS_OF_SITE);
  };
  const count = (client: string, kind = ""): void => {
    const at = now();
    take(kind + client, at, 1);
    const site = siteOf(client);
    if (site !== client) take(kind + site, at, CLIENTS_OF_SITE);
  };

  const refuse = async (request: Request, client: string): Promise<Response> => {
    await pacing.refuseUnread(request, client, TOO_MANY);
    return request.signal.aborted ? toNobody() : app(request);
  };

  const share = createLoopShare(PER_TURN);
  const inItsTurn = (request: Request, client: string): Response | Promise<Response> => {
    const turn = share.take(siteOf(client));
    if (turn === undefined) return app(request);
    return turn.then(() => (request.signal.aborted ? toNobody() : app(request)));
  };

  const countFailure = async (request: Request, client: string): Promise<Response> => {
    const response = await app(request);
    if (response.status >= 400) count(client);
    return response;
  };

  return {
    isSpent: (client) => !isPrivate(client) && isSpent(client),
    fetch(request) {
      const client = clientOf(request);
      if (isPrivate(client)) return app(request);
      const path = pathOf(request.url);
      const isAdmitted = request.method === "POST" && admitted.has(path);
      const kind = HEALTH.has(path) ? "health " : "";
      if (isSpent(client, kind)) {
        return !isAdmitted && holders.has(request, client, true) ? app(request) : refuse(request, client);
      }
      if (isAdmitted) return countFailure(request, client);
      if (holders.has(request, client, false)) return app(request);
      count(client, kind);
      return inItsTurn(request, client);
    },
  };
};
