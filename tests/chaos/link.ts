import { connect, createServer, type Socket } from "node:net";

/** Faults of a link. */
export const LINK_FAULTS = ["refuse", "hang", "delay", "reset", "half-open"] as const;
export type LinkFault = (typeof LINK_FAULTS)[number];

/** A TCP proxy between two parts that fails in the ways in which networks do. */
export interface Link extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /**
   * refuse: new connections and existing ones are reset. hang: nothing arrives until the link is healed, then all of it, as
   * TCP retransmits what was lost. delay: 300 ms each way. reset: a RST in the middle of every seventh chunk. half-open:
   * connections are accepted and nothing is ever forwarded; they stay so after the healing, as after a lost route, and only
   * a deadline of the client ends them.
   */
  break(fault: LinkFault): void;
  /** New connections work, and those that hung continue. */
  heal(): void;
  /** Resets all connections; new ones work. */
  cut(): void;
  /** From now on new connections lead to another port. Those that exist stay where they are. */
  moveTo(port: number): void;
}

const DELAY_MS = 300;
const RESET_EVERY = 7;

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** A lost route: neither end receives anything any more. */
  isLost: boolean;
  readonly flushes: (() => void)[];
}

export const createLink = async (name: string, targetPort: number): Promise<Link> => {
  const pairs = new Set<Pair>();
  let target = targetPort;
  let fault: LinkFault | undefined;
  let chunks = 0;

  const reset = ({ client, upstream }: Pair): void => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  };

  /** One direction. Chunks keep their order when a fault begins or ends. */
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
      chunks += 1;
      if (fault === "reset" && chunks % RESET_EVERY === 0) {
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
    const upstream = connect({ host: "127.0.0.1", port: target });
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
        // A server closes a silent connection at some time; the client never learns of it.
        if (pair.isLost) pair.upstream.destroy();
        for (const flush of pair.flushes) flush();
      }
    },
    cut() {
      for (const pair of pairs) reset(pair);
    },
    moveTo(next) {
      target = next;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        for (const pair of pairs) reset(pair);
        server.close(() => done());
      }),
  };
};
