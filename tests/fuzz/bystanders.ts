import { connect, type Socket } from "node:net";
import { randomHex } from "../../observability/trace-context.ts";
import { pause } from "../../runtime/loop.ts";

/** A person who signs up now and then while others attack. */
export interface NormalClient {
  /** Ends it, and says how it fared; times in ms. */
  stop(): Promise<{ readonly refused: readonly string[]; readonly times: readonly number[] }>;
}

const EVERY_MS = 100;
const PATIENCE_MS = 10_000;

const signUp = async (origin: string): Promise<string | undefined> => {
  const name = `normal-${randomHex(6)}`;
  try {
    const response = await fetch(`${origin}/api/v1/user/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        user_name: name,
        email: `${name}@inbox.example`,
        password: "correct horse battery staple",
      }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    return response.status === 201 ? undefined : `${response.status} ${text}`;
  } catch (error) {
    return String(error);
  }
};

export const startNormalClient = (origin: string): NormalClient => {
  const end = new AbortController();
  const refused: string[] = [];
  const times: number[] = [];
  const run = async () => {
    while (!end.signal.aborted) {
      const startedAt = performance.now();
      const refusal = await signUp(origin);
      times.push(performance.now() - startedAt);
      if (refusal !== undefined) refused.push(refusal);
      await pause(EVERY_MS, end.signal);
    }
  };
  const running = run();
  return {
    stop: async () => {
      end.abort();
      await running;
      return { refused, times: times.toSorted((a, b) => a - b) };
    },
  };
};

/** Clients that are never done: half of them within a header, half within a body, a byte a second. */
export interface SlowClients {
  /** Connections that the server has not closed yet. */
  open(): number;
  stop(): void;
}

const DRIP_EVERY_MS = 1_000;
const BEGUN = [
  "GET /livez HTTP/1.1\r\nHost: signup.example\r\nX-Slow: ",
  "POST /api/v1/user/ HTTP/1.1\r\nHost: signup.example\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n",
];

export const startSlowClients = (port: number, count: number): SlowClients => {
  const sockets = new Set<Socket>();
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(BEGUN[index % BEGUN.length] ?? ""));
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    // What it is told is read, so that it notices when it is cut off.
    socket.resume();
  }
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write("a");
  }, DRIP_EVERY_MS);
  return {
    open: () => sockets.size,
    stop: () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
};
