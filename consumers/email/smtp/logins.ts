import { SessionRefused } from "./session.ts";

/** A connection may be asked for; `ended` is called with why there is none. Or the refusal of another one is its answer, too. */
export type LoginTurn =
  | { readonly kind: "go"; readonly ended: (error?: unknown) => void }
  | { readonly kind: "refused"; readonly error: SessionRefused };

/** When a pool may ask for a connection, where each is a login. */
export interface Logins {
  /** Waits until another login may be tried. */
  turn(signal: AbortSignal): Promise<LoginTurn>;
  /** Ms until one is tried again beside connections that work; 0 unless the last one was refused. */
  readonly restMs: number;
}

/** The first login is waited for, but no longer than this before another one is begun: it may be at an address that greets nobody. */
const FIRST_MS = 3_000;
const FIRST_REST_MS = 4_000;
const LONGEST_REST_MS = 120_000;

export const isLoginRefused = (error: unknown): error is SessionRefused =>
  error instanceof SessionRefused && error.failure.code === "EAUTH";

/**
 * A provider counts logins that are refused, and locks the account. So while no connection is logged in, the first login is waited for; and once one
 * was refused, there is one at a time, until one succeeds. Whoever waited for one that is refused is refused with it. Beside connections that
 * work it is tried after 4 s, 8, 16 ... 120 s.
 */
export const createLogins = (deps: {
  /** Whether connections log in at all. */
  readonly areNeeded: boolean;
  /** Whether a connection works. */
  readonly hasConnection: () => boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Logins => {
  const { areNeeded, hasConnection, now } = deps;
  /** Each resolves when it has ended, with the refusal if it was refused. */
  const underWay = new Set<Promise<SessionRefused | undefined>>();
  let refused: SessionRefused | undefined;
  let inARow = 0;
  let restUntil = 0;
  let begunAt = Number.NEGATIVE_INFINITY;

  const begin = (): LoginTurn => {
    const { promise, resolve } = Promise.withResolvers<SessionRefused | undefined>();
    underWay.add(promise);
    begunAt = now();
    const ended = (error?: unknown) => {
      underWay.delete(promise);
      if (isLoginRefused(error)) {
        // Those that were under way beside each other are one answer.
        if (now() >= restUntil) inARow += 1;
        restUntil = now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(inARow - 1, 10));
        refused = error;
        return resolve(error);
      }
      if (error === undefined) {
        refused = undefined;
        inARow = 0;
        restUntil = 0;
      }
      resolve(undefined);
    };
    return { kind: "go", ended };
  };

  const wait = async (signal: AbortSignal, mostMs: number): Promise<SessionRefused | "late" | undefined> => {
    const { promise, resolve } = Promise.withResolvers<"late">();
    const end = () => resolve("late");
    const timer = Number.isFinite(mostMs) ? setTimeout(end, mostMs) : undefined;
    signal.addEventListener("abort", end);
    const first = await Promise.race([...underWay, promise]);
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    return first;
  };

  return {
    get restMs() {
      return refused === undefined ? 0 : Math.max(0, restUntil - now());
    },
    async turn(signal) {
      while (areNeeded && !signal.aborted) {
        const has = hasConnection();
        if (refused !== undefined && has && now() < restUntil) return { kind: "refused", error: refused };
        if (underWay.size === 0 || (refused === undefined && has)) break;
        const mostMs = refused === undefined ? FIRST_MS - (now() - begunAt) : Number.POSITIVE_INFINITY;
        const result = await wait(signal, mostMs);
        if (result instanceof SessionRefused) return { kind: "refused", error: result };
        // Of those that wait one begins, and the others wait for it.
        if (result === "late" && now() - begunAt >= FIRST_MS) break;
      }
      // Who was called back while it waited opens nothing.
      return signal.aborted ? { kind: "go", ended: () => {} } : begin();
    },
  };
};
