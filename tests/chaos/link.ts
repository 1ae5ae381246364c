import { connect, createServer, type Socket } from "node:net";

/** What happens to what goes over a link. */
export const LINK_FAULTS = ["refuse", "hang", "delay", "reset", "half-open"] as const;
export type LinkFault = (typeof LINK_FAULTS)[number];

/** A TCP link between two parts, that can be cut in the ways in which networks are. */
export interface Link extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /**
   * refuse: no connection is taken, those there are reset. hang: nothing arrives, and all of it does when the link heals,
   * late, as TCP sends again what was lost. delay: 300 ms each way. reset: every seventh piece is cut in its middle by a
   * RST. half-open: connections are taken, nothing is forwarded ever; they stay so after the healing, as a lost route
   * leaves them, and only a deadline of its owner ends one.
   */
  break(fault: LinkFault): void;
  /** New connections work, and those that only waited go on. */
  heal(): void;
}

const DELAY_MS = 300;
const RESET_EVERY = 7;

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** A lost route: neither end hears of the other again. */
  isLost: boolean;
  readonly flushes: (() => void)[];
}

export const createLink = async (name: string, targetPort: number): Promise<Link> => {
  const pairs = new Set<Pair>();
  let fault: LinkFault | undefined;
  let pieces = 0;

  const reset = ({ client, upstream }: Pair): void => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  };

  /** One direction, in order: what is under way when a fault begins or ends never overtakes what went before it. */
  const forward = (pair: Pair, from: Socket, to: Socket): void => {
    const queue: { readonly chunk: Buffer; readonly dueAt: number }[] = [];
    let hasEnded = false;
    const flush = (): void => {
      if (pair.isLost || fault === "hang") return;
      for (let head = queue[0]; head !== undefined; head = queue[0]) {
        const waitMs = head.dueAt - performance.now();
        if (waitMs > 0) {
          setTimeout(flush, waitMs);
          return;
        }
        queue.shift();
        to.write(head.chunk);
      }
      if (hasEnded) to.end();
    };
    pair.flushes.push(flush);
    from.on("data", (chunk: Buffer) => {
      if (pair.isLost) return;
      pieces += 1;
      if (fault === "reset" && pieces % RESET_EVERY === 0) {
        to.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => reset(pair));
        return;
      }
      queue.push({ chunk, dueAt: performance.now() + (fault === "delay" ? DELAY_MS : 0) });
      flush();
    });
    from.on("error", () => {});
    from.on("close", () => {
      hasEnded = true;
      flush();
      if (pair.client.destroyed && pair.upstream.destroyed) pairs.delete(pair);
    });
  };

  const server = createServer((client) => {
    client.on("error", () => {});
    if (fault === "refuse") {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: "127.0.0.1", port: targetPort });
    const pair: Pair = { client, upstream, isLost: fault === "half-open", flushes: [] };
    pairs.add(pair);
    forward(pair, client, upstream);
    forward(pair, upstream, client);
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return {
    name,
    port: await promise,
    break(next) {
      fault = next;
      if (next === "refuse") for (const pair of pairs) reset(pair);
      if (next === "half-open") for (const pair of pairs) pair.isLost = true;
    },
    heal() {
      fault = undefined;
      for (const pair of pairs) {
        // The server's end gives up its part one day; the client's is never told.
        if (pair.isLost) pair.upstream.destroy();
        for (const flush of pair.flushes) flush();
      }
    },
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        for (const pair of pairs) reset(pair);
        server.close(() => done());
      }),
  };
};
