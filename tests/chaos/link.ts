import { connect, createServer, type Socket } from "node:net";

/** What happens to what goes over a link. */
export const LINK_FAULTS = ["refuse", "hang", "delay", "reset", "half-open"] as const;
export type LinkFault = (typeof LINK_FAULTS)[number];

/** A TCP link between two parts, that can be cut in the ways in which networks are. */
export interface Link extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /**
   * refuse: no connection is taken, those there are cut. hang: connections are taken and say nothing. delay: 300 ms each way.
   * reset: what is there is cut in mid-stream, every half second. half-open: what is there falls silent, new ones too.
   */
  break(fault: LinkFault): void;
  /** As new: what was silenced is cut, so that nobody waits for it longer than they would for a lost route. */
  heal(): void;
}

const DELAY_MS = 300;
const RESET_EVERY_MS = 500;

export const createLink = async (name: string, targetPort: number): Promise<Link> => {
  const sockets = new Set<Socket>();
  let fault: LinkFault | undefined;
  let resetting: ReturnType<typeof setInterval> | undefined;
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };

  const server = createServer((client) => {
    if (fault === "refuse") {
      client.destroy();
      return;
    }
    const upstream = connect({ host: "127.0.0.1", port: targetPort });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("data", (chunk) => {
        if (fault === "hang" || fault === "half-open") return;
        if (fault === "delay") setTimeout(() => to.write(chunk), DELAY_MS);
        else to.write(chunk);
      });
      from.on("close", () => {
        sockets.delete(from);
        if (fault !== "half-open") to.destroy();
      });
    }
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
      if (next === "refuse") cutAll();
      if (next === "reset") resetting = setInterval(cutAll, RESET_EVERY_MS);
    },
    heal() {
      const wasSilent = fault === "hang" || fault === "half-open";
      clearInterval(resetting);
      fault = undefined;
      if (wasSilent) cutAll();
    },
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        clearInterval(resetting);
        cutAll();
        server.close(() => done());
      }),
  };
};
