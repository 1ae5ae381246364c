import { join } from "node:path";
import { type Child, startChild } from "../local/child.ts";
import { ownPort } from "../tests/own-port.ts";

/** `bench/smtp-sink.ts`, running. */
export interface Sink extends AsyncDisposable {
  readonly port: number;
  /** Resolves when mails to so many people have been taken, with the sink's clock in ms. */
  reached(mark: number): Promise<number>;
}

const STOP_TIMEOUT_MS = 2_000;

/** Starts an SMTP server that accepts every mail after `delayMs`, and reports when it has accepted as many as each mark. */
export const startSink = async (delayMs: number, marks: readonly number[], timeoutMs: number): Promise<Sink> => {
  const port = await ownPort();
  const passed = new Map(marks.map((mark) => [mark, Promise.withResolvers<number>()]));
  const ready = Promise.withResolvers<void>();
  const child: Child = startChild({
    command: [process.execPath, join(import.meta.dir, "smtp-sink.ts"), ...[port, delayMs, ...marks].map(String)],
    onLine: (line) => {
      const [mark, at] = line.split(" ").map(Number);
      if (line === "ready") ready.resolve();
      else passed.get(mark ?? 0)?.resolve(at ?? 0);
    },
    deathSignal: "TERM",
  });
  const ended = child.exited.then((how): never => {
    throw new Error(`the SMTP sink ended: ${how}\n${child.lastLines()}`);
  });
  ended.catch(() => {});
  await Promise.race([ready.promise, ended]);

  const reached = async (mark: number): Promise<number> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`not ${mark} mails within ${timeoutMs} ms`)), timeoutMs);
    try {
      return await Promise.race([passed.get(mark)?.promise ?? late, ended, late]);
    } finally {
      clearTimeout(timer);
    }
  };
  return { port, reached, [Symbol.asyncDispose]: () => child.stop("SIGTERM", STOP_TIMEOUT_MS) };
};
