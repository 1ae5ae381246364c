import { createRecent } from "../../runtime/recent.ts";

/** Wrong tokens of one client within the window, after which it is refused until the window is over. */
const MOST = 10;
const WINDOW_MS = 60_000;
/** Clients that are remembered; those that were wrong longest ago are forgotten first. */
const MOST_CLIENTS = 10_000;

/** Counts wrong tokens, for each client by itself. In this process alone. */
export interface TokenAttempts {
  /** ms until the client may try again; 0: it may now. */
  waitMs(client: string): number;
  /** Its token was wrong. A request counts once, however often it is looked at. */
  failed(client: string, request: Request): void;
  /** Whether the wrong token of a request was counted. */
  hasCounted(request: Request): boolean;
  /** Its token was right: an honest mistake is forgotten. */
  succeeded(client: string): void;
}

/** `now`: monotonic, ms. */
export const createTokenAttempts = (now: () => number): TokenAttempts => {
  const clients = createRecent<{ readonly began: number; readonly failures: number }>(MOST_CLIENTS);
  const counted = new WeakSet<Request>();
  const current = (client: string) => {
    const known = clients.get(client);
    return known !== undefined && now() - known.began < WINDOW_MS ? known : undefined;
  };
  return {
    waitMs(client) {
      const known = current(client);
      return known === undefined || known.failures < MOST ? 0 : known.began + WINDOW_MS - now();
    },
    failed(client, request) {
      if (counted.has(request)) return;
      counted.add(request);
      const { began, failures } = current(client) ?? { began: now(), failures: 0 };
      clients.set(client, { began, failures: failures + 1 });
    },
    hasCounted: (request) => counted.has(request),
    succeeded: (client) => clients.delete(client),
  };
};
