import { jsonLine } from "../json.ts";
import type { Screen } from "./screen.ts";
import type { Style } from "./style.ts";

/** What is read again and again, and how it is shown. */
export interface Watched<Value> {
  /** Never rejects: what keeps it from being read is a value, too. */
  readonly read: () => Promise<Value>;
  /** All of it, for a terminal. */
  readonly frame: (value: Value, style: Style) => string;
  /** The essence in one line, for a pipe or a file. */
  readonly line: (value: Value) => string;
  readonly json: (value: Value) => unknown;
}

export interface WatchOptions {
  readonly screen: Screen;
  readonly intervalMs: number;
  /** Ends after so many readings; undefined: when it is stopped. */
  readonly count?: number | undefined;
  readonly signal: AbortSignal;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

const HOME = "\x1b[H";
const CLEAR = "\x1b[2J";
const REST_OF_LINE = "\x1b[K";
const REST_OF_SCREEN = "\x1b[J";

/** The lines of a frame that a terminal has room for; what has none is counted. */
export const fittedFrame = (
  text: string,
  { width, rows }: { readonly width?: number; readonly rows?: number },
): string[] => {
  const lines =
    width === undefined ? text.split("\n") : Bun.wrapAnsi(text, width, { hard: true, trim: false }).split("\n");
  // The cursor needs the last one.
  const room = (rows ?? Number.POSITIVE_INFINITY) - 1;
  if (lines.length <= room) return lines;
  const kept = lines.slice(0, Math.max(0, room - 1));
  return [...kept, `(${lines.length - kept.length} more lines; make the terminal higher)`];
};

/** A frame drawn over the one before: nothing flickers, and nothing of the old one is left. */
const drawn = (lines: readonly string[]): string =>
  `${HOME}${lines.map((line) => `${line}${REST_OF_LINE}\n`).join("")}${REST_OF_SCREEN}`;

/** Resolves undefined when it is stopped first. */
const unlessStopped = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> => {
  const stopped = Promise.withResolvers<undefined>();
  const stop = () => stopped.resolve(undefined);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

/**
 * Shows a value at intervals until it is stopped: redrawn in place on a terminal; elsewhere one line each time, or one JSON
 * document in one line.
 */
export const watch = async <Value>(
  { read, frame, line, json }: Watched<Value>,
  { screen, intervalMs, count = Number.POSITIVE_INFINITY, signal, wait }: WatchOptions,
): Promise<void> => {
  const isDrawn = screen.isTerminal && !screen.wantsJson;
  if (isDrawn) await screen.write(CLEAR);
  for (let shown = 1; !signal.aborted; shown += 1) {
    const value = await unlessStopped(read(), signal);
    if (value === undefined) return;
    if (screen.wantsJson) await screen.write(`${jsonLine(json(value))}\n`);
    else if (isDrawn) {
      const style = screen.style();
      const rows = screen.rows();
      const limits = {
        ...(style.width === undefined ? {} : { width: style.width }),
        ...(rows === undefined ? {} : { rows }),
      };
      await screen.write(drawn(fittedFrame(frame(value, style), limits)));
    } else await screen.write(`${line(value)}\n`);
    if (shown >= count) return;
    await wait(intervalMs, signal);
  }
};
