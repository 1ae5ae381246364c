import { connect } from "node:net";
import type { FuzzFraming } from "./framings.ts";
import type { FuzzRequest } from "./requests.ts";

/** What came of a case. */
export type Outcome =
  | { readonly kind: "answered"; readonly statuses: readonly number[] }
  /** The server closed the connection without an answer, as it may when it understands nothing. */
  | { readonly kind: "closed" }
  /** The server waits for more, as it may for what is incomplete. */
  | { readonly kind: "waiting" }
  | { readonly kind: "hung" };

/** For a whole request; the longest legitimate wait is for a body, 10 s, and no request here is slow. */
const ANSWER_WITHIN_MS = 8_000;
/** Nothing more comes of a framing after this much silence. */
const SILENCE_MS = 150;

/** Sends a request as any client would. A body that never ends, as that of a live page, is left. */
export const sendRequest = async (origin: string, request: FuzzRequest): Promise<Outcome> => {
  const leave = new AbortController();
  const timer = setTimeout(() => leave.abort(), ANSWER_WITHIN_MS);
  try {
    const response = await fetch(`${origin}${request.target}`, {
      method: request.method,
      headers: request.headers.map(([name, value]): [string, string] => [name, value]),
      redirect: "manual",
      // A connection that the server has just closed would look like a refusal.
      keepalive: false,
      signal: leave.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) await response.body?.cancel();
    else await response.bytes();
    return { kind: "answered", statuses: [response.status] };
  } catch {
    return leave.signal.aborted ? { kind: "hung" } : { kind: "closed" };
  } finally {
    clearTimeout(timer);
  }
};

const STATUS = /(?:^|\r\n\r\n|\n)HTTP\/1\.1 (\d{3}) /g;

const piecesOf = ({ bytes, cuts }: FuzzFraming): readonly Buffer[] => {
  const whole = Buffer.from(bytes, "latin1");
  const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted((a, b) => a - b);
  return places.slice(1).map((to, index) => whole.subarray(places[index], to));
};

/** Writes bytes to a connection of its own, and collects what comes back until it is closed or silent. */
export const sendFraming = (port: number, framing: FuzzFraming): Promise<Outcome> =>
  new Promise((resolve) => {
    let answer = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const end = (silent: Outcome) => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...answer.matchAll(STATUS)].map(([, status]) => Number(status));
      resolve(statuses.length > 0 ? { kind: "answered", statuses } : silent);
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => end({ kind: "waiting" }), SILENCE_MS);
    };
    socket.on("connect", async () => {
      for (const piece of piecesOf(framing)) {
        if (socket.destroyed) return;
        socket.write(piece);
        await new Promise((next) => setImmediate(next));
      }
      wait();
    });
    socket.on("data", (bytes) => {
      answer += bytes.toString("latin1");
      wait();
    });
    // A reset is an end as any other: `close` follows.
    socket.on("error", () => {});
    socket.on("close", () => end({ kind: "closed" }));
  });
