import type { Socket } from "bun";
import { type FloodShape, floodingClient } from "./flood-shapes.ts";

/** What a flood was answered. */
export interface Flooded {
  /** Answers by status; `closed`: connections that ended without one. */
  readonly answers: Readonly<Record<string, number>>;
  readonly sent: number;
}

const HEAD_END = "\r\n\r\n";
const DRIP_MS = 200;
/** Before a connection is opened again that could not be. */
const AGAIN_MS = 20;

interface Connection {
  head: string;
  /** Bytes of the body that are to come; undefined: of the head, too. */
  left?: number | undefined;
  drip?: ReturnType<typeof setInterval>;
}

/** Floods a port of this machine until a time, with a request in flight on each connection, and opens anew each that ends. */
export const flood = async (shape: FloodShape, port: number, connections: number, endsAt: number): Promise<Flooded> => {
  const answers: Record<string, number> = {};
  const open = new Set<Socket<Connection>>();
  let sent = 0;
  const count = (answer: string) => {
    answers[answer] = (answers[answer] ?? 0) + 1;
  };
  const isOver = () => performance.now() >= endsAt;

  const send = (socket: Socket<Connection>): void => {
    socket.data = { head: "" };
    socket.write(shape.request(floodingClient(shape, sent)));
    sent += 1;
    if (shape.after === "leaves") socket.flush();
    if (shape.after === "leaves") socket.end();
    if (shape.after === "drips") socket.data.drip = setInterval(() => socket.write(" "), DRIP_MS);
  };

  /** The body that follows a head; undefined: until the connection ends. */
  const bodyOf = (head: string): number | undefined => {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    return length === undefined ? undefined : Number(length);
  };

  const read = (socket: Socket<Connection>, chunk: Buffer): void => {
    const { data } = socket;
    let size = chunk.length;
    if (data.left === undefined) {
      data.head += chunk.toString("latin1");
      const end = data.head.indexOf(HEAD_END);
      if (end < 0) return;
      count(data.head.slice(9, 12));
      size = data.head.length - end - HEAD_END.length;
      const isWhole = data.head.startsWith("HEAD") || shape.request("").startsWith("HEAD");
      data.left = isWhole ? 0 : bodyOf(data.head.slice(0, end));
      if (data.left === undefined || shape.after === "leaves when answered") return void socket.end();
    }
    data.left -= size;
    if (data.left > 0) return;
    clearInterval(data.drip);
    if (shape.isNewEach || isOver()) socket.end();
    else send(socket);
  };

  const connect = async (): Promise<void> => {
    while (!isOver()) {
      const ended = Promise.withResolvers<void>();
      try {
        open.add(
          await Bun.connect<Connection>({
            hostname: "127.0.0.1",
            port,
            data: { head: "" },
            socket: {
              open: send,
              data: read,
              close(socket) {
                clearInterval(socket.data.drip);
                open.delete(socket);
                if (socket.data.left === undefined && socket.data.head === "") count("closed");
                ended.resolve();
              },
              error: () => ended.resolve(),
            },
          }),
        );
        await ended.promise;
      } catch {
        await Bun.sleep(AGAIN_MS);
      }
    }
  };
  const end = setTimeout(
    () => {
      for (const socket of open) socket.terminate();
    },
    Math.max(0, endsAt - performance.now()),
  );
  await Promise.all(Array.from({ length: connections }, connect));
  clearTimeout(end);
  return { answers, sent };
};
