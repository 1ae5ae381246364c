import { connect, createServer, type Socket } from "node:net";

/** A link between two parts that can fall silent: both ends believe that they are connected. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing is forwarded, on old connections and new ones. */
  silence(): void;
  /** Forwards again, on new connections; those that were silenced stay so, as a lost route leaves them. */
  restore(): void;
  /** From now on new connections lead to another port; open ones stay where they are. As a name or a service that moves. */
  moveTo(port: number): void;
}

export interface ProxyOptions {
  /** A client that sends this text is cut off before it arrives. */
  readonly cutAt?: string;
  /** What is sent on in the place of what a client sent. */
  readonly rewrite?: (sent: Buffer) => Buffer;
}

export const startProxy = async (targetPort: number, { cutAt, rewrite }: ProxyOptions = {}): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  let generation = 0;
  let isSilent = false;
  let target = targetPort;

  const server = createServer((client) => {
    const bornIn = generation;
    const upstream = connect({ host: "127.0.0.1", port: target });
    const forwards = () => !isSilent && bornIn === generation;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        if (cutAt !== undefined && from === client && chunk.includes(cutAt)) client.destroy();
        else if (forwards()) to.write(from === client && rewrite !== undefined ? rewrite(Buffer.from(chunk)) : chunk);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        // With a lost route the other end does not notice.
        if (forwards()) to.destroy();
      });
    }
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return {
    port: await promise,
    silence: () => {
      isSilent = true;
    },
    restore: () => {
      isSilent = false;
      generation += 1;
    },
    moveTo: (port) => {
      target = port;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
};

/** A proxy to the server of a URL, and the URL by way of it. */
export const startProxyOf = async (url: string): Promise<TcpProxy & { readonly url: string }> => {
  const address = new URL(url);
  const proxy = await startProxy(Number(address.port));
  address.port = String(proxy.port);
  return { ...proxy, url: address.href };
};
