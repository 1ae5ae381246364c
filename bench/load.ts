import type { Socket } from "bun";
import { randomHex } from "../observability/trace-context.ts";

/** The result of a load of signups. */
export interface LoadFigures {
  readonly accepted: number;
  readonly seconds: number;
  /** From request to whole answer, one for each accepted signup, in ms. */
  readonly latencies: readonly number[];
  /** When the load began, by the clock, in ms. */
  readonly startedAt: number;
  /** When each of these requests was sent, in ms since the load began. */
  readonly sentAt: readonly number[];
  /** How many answers of another status there were. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface Load {
  readonly port: number;
  /** Each has one request in flight. */
  readonly connections: number;
  /** Asked before each request; the load ends when it is false. */
  readonly more: () => boolean;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that do not end the load. */
  readonly mayBeRefusedBy?: readonly string[];
  /** Time from one request of a connection to the next, if its answer has come by then, in ms. */
  readonly everyMs?: number;
  /** Signups before these ones, whose numbers go on from there; 0 if not given. */
  readonly before?: number;
  /** The domain of the address of a signup, the first being 1; `inbox.example` if not given. */
  readonly domainOf?: (number: number) => string;
}

/** `more` for a number of signups. */
export const times = (count: number): Load["more"] => {
  let left = count;
  return () => {
    left -= 1;
    return left >= 0;
  };
};

/** `more` for a time. */
export const forSeconds = (seconds: number): Load["more"] => {
  const end = performance.now() + seconds * 1_000;
  return () => performance.now() < end;
};

/** The port of a URL that names one. */
export const portOf = (url: string): number => Number(new URL(url).port);

const HEAD_END = "\r\n\r\n";

/** The answer's status if the text holds all of it; undefined: more is to come. */
const statusOf = (text: string): string | undefined => {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length:\n${text}`);
  // Read as Latin-1: a character is a byte.
  return text.length < headEnd + HEAD_END.length + Number(length) ? undefined : text.slice(9, 12);
};

const requestOf = (name: string, domain: string, headers: Load["headers"] = {}): string => {
  const body = `{"user_name":"${name}","email":"${name}@${domain}","password":"correct horse battery staple"}`;
  const further = Object.entries(headers).map(([header, value]) => `\r\n${header}: ${value}`);
  const head = `POST /api/v1/user/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json${further.join("")}`;
  return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/**
 * Signs people up over HTTP, at some µs each: the cost of `fetch` would distort the measurement.
 *
 * @throws at the first answer that is neither 201 nor one of `mayBeRefusedBy`
 */
export const signUpMany = async (load: Load): Promise<LoadFigures> => {
  const { port, connections, more, headers, mayBeRefusedBy = [], everyMs = 0 } = load;
  const { before = 0, domainOf = () => "inbox.example" } = load;
  const prefix = `b${randomHex(5)}`;
  const latencies: number[] = [];
  const allSentAt: number[] = [];
  const refused: Record<string, number> = {};
  let asked = before;
  const startedAt = performance.now();

  const connection = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let answer = "";
    let sentAt = 0;
    const send = (socket: Socket) => {
      if (!more()) return resolve();
      asked += 1;
      const request = requestOf(`${prefix}-${asked}`, domainOf(asked), headers);
      sentAt = performance.now();
      if (socket.write(request) !== request.length) reject(new Error("a request did not fit the socket's buffer"));
    };
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: send,
        data(open, chunk) {
          answer += chunk.toString("latin1");
          const status = statusOf(answer);
          if (status === undefined) return;
          const tookMs = performance.now() - sentAt;
          if (status === "201") {
            latencies.push(tookMs);
            allSentAt.push(sentAt - startedAt);
          } else if (mayBeRefusedBy.includes(status)) refused[status] = (refused[status] ?? 0) + 1;
          else return reject(new Error(`a signup was answered:\n${answer}`));
          answer = "";
          if (tookMs < everyMs) setTimeout(() => send(open), everyMs - tookMs);
          else send(open);
        },
        close: () => reject(new Error("the API closed a connection")),
        error: (_, error) => reject(error),
      },
    });
    await promise.finally(() => socket.end());
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const seconds = (performance.now() - startedAt) / 1_000;
  const begun = performance.timeOrigin + startedAt;
  return { accepted: latencies.length, seconds, latencies, startedAt: begun, sentAt: allSentAt, refused };
};
